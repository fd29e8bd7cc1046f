-- Kept copy of entry_sample_live.
create materialized view entry_sample as
select * from entry_sample_live;

create unique index entry_sample_entry_key on entry_sample (entry_key);

comment on materialized view entry_sample is
'Internal. A fixed sample of a thousand embedded entries, as of the last refresh: it tells a search which similarity is
usual.
Example: select count(*) from entry_sample;';
comment on column entry_sample.entry_key is 'The entry.';
comment on column entry_sample.embedding is 'Its vector.';
