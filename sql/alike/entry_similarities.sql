-- Users who share entries with one user, and nearly how much.
--
-- Nearly, as entry_lengths go by an idf that stays until it has moved, and exact lengths cost more than all the rest.
-- The ratio of the two is that of the idf of some entry at most, so the similarity is off by no more; with entry_length
-- and product it is exact.
create function entry_similarities(
    of_user_key bigint
)
returns table (
    user_key bigint,
    product double precision,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _length constant double precision := entry_length(entry_similarities.of_user_key);
begin
    return query
    with own as materialized (
        select a.entry_key, ln(1 + a.frequency) * s.idf * s.idf / nullif(_length, 0) as weight
        from activity a
        join entry_stats s using (entry_key)
        where a.user_key = entry_similarities.of_user_key and s.idf > 0
    )
    select p.user_key, p.product, p.product / nullif(l.length, 0)
    from (
        select a.user_key, sum(o.weight * ln(1 + a.frequency)) as product
        from own o
        join activity a using (entry_key)
        where a.user_key <> entry_similarities.of_user_key
        group by a.user_key
    ) p
    join entry_lengths l using (user_key);
end
$$;

comment on function entry_similarities(bigint) is
'Internal. Every user who shares an entry with one user: the product of their tf-idf weights over entries, ln(1 +
frequency) times ln(users / users who have the entry), those of the one user being of unit length, and nearly the
cosine; entries that all users have count for nothing.
Example: select count(*), max(similarity) from entry_similarities(1);';
