-- The entries of some users that speak for a query most, strongest first.
--
-- The policies of the space are read first: with constants the planner makes the weight of weighted_activity a
-- logarithm. What an entry says is computed once, and not for every user who has it ('offset 0').
create function matched_entries(
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
set plan_cache_mode = force_custom_plan
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
    select s.user_key, array_agg(s.entry order by s.place)
    from (
        select
            a.user_key,
            x.entry,
            row_number() over (
                partition by a.user_key
                order by
                    x.strength
                        * entry_weight(a.frequency, _space.weighting)
                        * recency(a.last_at, _space.half_life, coalesce(_space.weighted_at, now())) desc,
                    x.entry
            ) as place
        from activity a
        join (
            select e.entry_key, e.entry, x.strength
            from entries e
            join (
                select x.entry_key, x.excess as strength
                from unnest(matched_entries.entry_keys, matched_entries.excesses) x (entry_key, excess)
                union all
                select v.entry_key, 1 - (v.embedding <=> matched_entries.query)
                from entry_vectors v
                where matched_entries.entry_keys is null
            ) x using (entry_key)
            offset 0
        ) x using (entry_key)
        where a.user_key = any (matched_entries.user_keys) and x.strength > 0
    ) s
    where s.place <= _most
    group by s.user_key;
end
$$;

comment on function matched_entries(vector, bigint[], bigint[], double precision[]) is
'Internal. The three entries of each of some users that speak for a query most: of those that are evidence for it, with
their excess, by weight times excess; with null for these, of all entries, by weight times similarity to the query.
Example: select * from matched_entries(embed(''ski enthusiasts''), ''{1, 2}'', null, null);';
