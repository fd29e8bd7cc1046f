-- Kept copy of user_sample_live.
create materialized view user_sample as
select * from user_sample_live;

create unique index user_sample_user_key on user_sample (user_key);

comment on materialized view user_sample is
'Internal. A fixed sample of a thousand users with a vector, as of the last refresh: it tells a search which similarity
is usual.
Example: select count(*) from user_sample;';
comment on column user_sample.user_key is 'The user.';
comment on column user_sample.users is 'How many users have a vector.';
comment on column user_sample.embedding is 'The vector of the user.';
