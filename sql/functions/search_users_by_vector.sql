-- Users who match a query vector.
create function search_users(
    query vector,
    k bigint default 20,
    filter jsonb default '{}',
    mode text default 'mean'
)
returns table (
    rank bigint,
    user_id text,
    score double precision,
    matched_entries text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _shown_entries constant bigint := 3;
    _weighting text := (select s.weighting from space s);
begin
    if search_users.mode is distinct from 'mean' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('there is no search mode %L', search_users.mode),
            hint = 'Use: mode => ''mean''';
    end if;

    return query
    select
        row_number() over (order by n.distance, n.user_id),
        n.user_id,
        1 - n.distance,
        array(
            select e.entry
            from activity a
            join entry_vectors v using (entry_key)
            join entries e using (entry_key)
            cross join lateral (
                select entry_weight(a.frequency, _weighting) * (1 - (v.embedding <=> search_users.query)) as strength
            ) s
            where a.user_key = n.user_key and s.strength > 0
            order by s.strength desc, e.entry
            limit _shown_entries
        )
    from nearest_users(search_users.query, search_users.k, search_users.filter) n
    order by n.distance, n.user_id;
end
$$;

comment on function search_users(vector, bigint, jsonb, text) is
'Users who match a query vector, best first; score is the cosine of the user vector, and matched_entries the three
entries that contribute most to it.
Example: select * from search_users(embed(''ski enthusiasts'') - embed(''horror fans''), k => 10);';
