-- A thousand embedded entries, always the same ones: what similarity to a query is usual.
create view entry_sample_live as
select
    v.entry_key,
    v.embedding
from entry_vectors v
where v.entry_key in (
    select s.entry_key
    from entry_vectors s
    order by hashint8extended(s.entry_key, 0), s.entry_key
    limit 1000
);

comment on view entry_sample_live is
'Internal. The definition of entry_sample, computed as you read it.
Example: select count(*) from entry_sample_live;';
comment on column entry_sample_live.entry_key is 'The entry.';
comment on column entry_sample_live.embedding is 'Its vector.';
