-- Entries that match a description.
create function search_entries(
    query text,
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
begin
    return query
    select *
    from search_entries(query => embed(search_entries.query), k => search_entries.k, filter => search_entries.filter);
end
$$;

comment on function search_entries(text, bigint, jsonb) is
'Entries nearest to a description, with how many users have them and how often, nearest first; similarity is the
cosine. filter keeps entries whose attributes contain it.
Example: select * from search_entries(''ski enthusiasts'', k => 10);';
