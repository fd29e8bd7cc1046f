-- Users closest in taste to one user, by cosine of their vectors.
create function similar_users(
    of_user text,
    k bigint default 20
)
returns table (
    rank bigint,
    user_id text,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _self user_vectors.embedding%type;
begin
    select v.embedding into _self
    from user_vectors v
    where v.user_id = similar_users.of_user;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('user %L has no vector', similar_users.of_user),
            hint = 'Users get a vector at the next refresh after one of their entries is embedded: call refresh();';
    end if;

    return query
    select
        row_number() over (order by n.distance, n.user_id),
        n.user_id,
        1 - n.distance
    from nearest_users(_self, similar_users.k, leave_out => array[similar_users.of_user]) n
    order by n.distance, n.user_id;
end
$$;

comment on function similar_users(text, bigint) is
'Users closest in taste to one user, nearest first; similarity is the cosine, -1 to 1.
Example: select * from similar_users(''user_ski_only'', k => 5);';
