-- A thousand users with a vector, always the same ones: what similarity of users to a query is usual.
create view user_sample_live as
select
    v.user_key,
    (select count(*) from user_vectors) as users,
    v.embedding
from user_vectors v
where v.user_key in (
    select s.user_key
    from user_vectors s
    order by hashint8extended(s.user_key, 0), s.user_key
    limit 1000
);

comment on view user_sample_live is
'Internal. The definition of user_sample, computed as you read it.
Example: select count(*) from user_sample_live;';
comment on column user_sample_live.user_key is 'The user.';
comment on column user_sample_live.users is 'How many users have a vector.';
comment on column user_sample_live.embedding is 'The vector of the user.';
