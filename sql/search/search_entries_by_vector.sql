-- Entries nearest to a query vector.
create function search_entries(
    query vector,
    k bigint default 20,
    filter jsonb default '{}'
)
returns table (
    entry text,
    similarity double precision,
    users bigint,
    frequency double precision,
    rank bigint
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_query(search_entries.query);

    if not exists (select from entry_vectors) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no entry has a vector yet',
            hint = 'Load some activity and run, in a shell: pgaudience embed';
    end if;

    return query
    select
        e.entry,
        n.similarity,
        coalesce(s.users, 0),
        coalesce(s.frequency, 0),
        row_number() over (order by n.similarity desc, e.entry_key)
    from nearest_entries(search_entries.query, search_entries.k, search_entries.filter) n
    join entries e using (entry_key)
    left join entry_stats s using (entry_key)
    order by n.similarity desc, e.entry_key;
end
$$;

comment on function search_entries(vector, bigint, jsonb) is
'Entries nearest to a query vector, with how many users have them and how often, nearest first;
filter keeps entries whose attributes contain it.
Example: select * from search_entries(embed(''ski enthusiasts'') - embed(''horror fans''), k => 10);';
