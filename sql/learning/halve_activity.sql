-- What each of some users has, in two halves, by chance and always the same: entries of even place, and of odd.
create function halve_activity(
    user_keys bigint[],
    seed bigint default 0
)
returns table (
    user_key bigint,
    entry_key bigint,
    weight double precision,
    is_second boolean
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    return query
    select
        a.user_key,
        a.entry_key,
        a.weight,
        row_number() over (
            partition by a.user_key
            order by hashint8extended(a.entry_key, halve_activity.seed + a.user_key), a.entry_key
        ) % 2 = 0
    from weighted_activity a
    where a.user_key = any (halve_activity.user_keys);
end
$$;

comment on function halve_activity(bigint[], bigint) is
'Internal. The entries of some users with their weights, cut into two halves by chance; the same seed cuts them alike
in every space over these people.
Example: select is_second, count(*) from halve_activity(array(select user_key from users)) group by is_second;';
