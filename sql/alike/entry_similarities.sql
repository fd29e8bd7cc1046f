-- Users who share entries with one user, and how much.
create function entry_similarities(
    of_user_key bigint
)
returns table (
    user_key bigint,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    return query
    with own as materialized (
        select a.entry_key, ln(1 + a.frequency) * s.idf * s.idf as weight
        from activity a
        join entry_stats s using (entry_key)
        where a.user_key = entry_similarities.of_user_key and s.idf > 0
    )
    select p.user_key, least(p.product / nullif(l.length * o.length, 0), 1)
    from (
        select a.user_key, sum(o.weight * ln(1 + a.frequency)) as product
        from own o
        join activity a using (entry_key)
        where a.user_key <> entry_similarities.of_user_key
        group by a.user_key
    ) p
    join entry_lengths l using (user_key)
    join entry_lengths o on o.user_key = entry_similarities.of_user_key;
end
$$;

comment on function entry_similarities(bigint) is
'Internal. Every user who shares an entry with one user: the cosine of their tf-idf weights over entries, ln(1 +
frequency) times ln(users / users who have the entry); entries that all users have count for nothing.
Example: select count(*), max(similarity) from entry_similarities(1);';
