-- Users most like a group of users.
create function lookalikes(
    user_ids text[],
    k bigint default null,
    fraction double precision default null
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
    _default_k constant bigint := 20;
    _seeds bigint;
    _centroid vector;
    _k bigint := coalesce(lookalikes.k, _default_k);
begin
    if lookalikes.k is not null and lookalikes.fraction is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'k and fraction both say how many users to return',
            hint = 'Give one of them.';
    end if;
    if not lookalikes.fraction between 0 and 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('fraction is a share of all other users, 0 to 1, not %s', lookalikes.fraction);
    end if;

    perform check_users(lookalikes.user_ids);

    select count(*), l2_normalize(sum(v.embedding)) into _seeds, _centroid
    from user_vectors v
    where v.user_id = any (lookalikes.user_ids);

    if lookalikes.fraction is not null then
        select ceil(lookalikes.fraction * (count(*) - _seeds)) into _k
        from user_vectors v;
    end if;
    return query
    select
        row_number() over (order by n.distance, n.user_id),
        n.user_id,
        1 - n.distance
    from nearest_users(_centroid, _k, leave_out => lookalikes.user_ids) n
    order by n.distance, n.user_id;
end
$$;

comment on function lookalikes(text[], bigint, double precision) is
'Users most like a group, nearest to the mean of its vectors first, the group left out: k of them (20 if nothing is
said), or a fraction of all other users.
Example: select * from lookalikes(array[''user_ski_only'', ''user_ski_horror_romcom''], fraction => 0.25);';
