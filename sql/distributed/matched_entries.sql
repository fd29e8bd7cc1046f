-- The entries of some users that speak for a query most, strongest first. What these users have is fetched from where
-- they are, then compared with what the entries say.
create or replace function matched_entries(
    query vector,
    user_keys bigint[],
    entry_keys bigint[],
    excesses double precision[]
)
returns table (
    user_key bigint,
    entries text[]
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _most constant bigint := (select c.shown_entries from search_constants() c);
    _space space%rowtype;
begin
    select s.* into _space
    from space s;

    return query
    with held as materialized (
        select a.user_key, a.entry_key, a.frequency, a.last_at
        from activity a
        where a.user_key = any (matched_entries.user_keys)
            and (matched_entries.entry_keys is null or a.entry_key = any (matched_entries.entry_keys))
    )
    select s.user_key, array_agg(s.entry order by s.place)
    from (
        select
            h.user_key,
            e.entry,
            row_number() over (
                partition by h.user_key
                order by
                    x.strength
                        * entry_weight(h.frequency, _space.weighting)
                        * recency(h.last_at, _space.half_life, coalesce(_space.weighted_at, now())) desc,
                    e.entry
            ) as place
        from held h
        join entries e on e.entry_key = h.entry_key
        join (
            select x.entry_key, x.excess as strength
            from unnest(matched_entries.entry_keys, matched_entries.excesses) x (entry_key, excess)
            union all
            select v.entry_key, 1 - (v.embedding <=> matched_entries.query)
            from entry_vectors v
            where matched_entries.entry_keys is null and v.entry_key in (select o.entry_key from held o)
        ) x on x.entry_key = h.entry_key
        where x.strength > 0
    ) s
    where s.place <= _most
    group by s.user_key;
end
$$;
