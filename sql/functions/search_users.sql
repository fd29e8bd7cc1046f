-- Users who match a description.
create function search_users(
    query text,
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
begin
    return query
    select *
    from search_users(
        query => embed(search_users.query),
        k => search_users.k,
        filter => search_users.filter,
        mode => search_users.mode
    );
end
$$;

comment on function search_users(text, bigint, jsonb, text) is
'Users who match a description, best first; score is the cosine of the user vector, and matched_entries the three
entries that contribute most to it. filter keeps users whose attributes contain it.
Example: select * from search_users(''ski enthusiasts'', k => 10, filter => ''{"country": "France"}'');';
