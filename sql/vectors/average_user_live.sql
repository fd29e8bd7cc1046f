-- The mean of all user vectors.
--
-- Sums of float4 lose digits as they grow, so they are made in two levels.
create view average_user_live as
select
    sum(t.users)::bigint as users,
    (row(scale(sum(t.total), 1 / sum(t.users)))::user_vector).embedding
from (
    select count(*)::double precision as users, sum(v.embedding) as total
    from user_vectors v
    group by v.user_key % 1000
) t
having count(*) > 0;

comment on view average_user_live is
'Internal. The definition of average_user, computed as you read it; no row without users.
Example: select users from average_user_live;';
comment on column average_user_live.users is 'How many users it is the mean of.';
comment on column average_user_live.embedding is 'The mean of their unit vectors: the shorter, the more they differ.';
