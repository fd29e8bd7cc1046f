-- Users most like a group of users.
create function lookalikes(
    user_ids text[],
    k bigint default null,
    fraction double precision default null,
    unlike text[] default null,
    weights double precision[] default null,
    filter jsonb default '{}',
    centered boolean default true,
    min_entries bigint default 1,
    by text default 'mean'
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
    _leave_out constant text[] := lookalikes.user_ids || coalesce(lookalikes.unlike, '{}');
    _group vector;
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
            message = format('fraction is a share of all other users, 0 to 1, not %s', lookalikes.fraction),
            hint = 'For example: fraction => 0.25';
    end if;

    perform check_way(lookalikes.by);
    perform check_k(_k);
    perform check_filter(lookalikes.filter);
    perform check_min_entries(lookalikes.min_entries);

    if lookalikes.by = 'mean' then
        _group := group_vector(
            lookalikes.user_ids,
            weights => lookalikes.weights,
            unlike => lookalikes.unlike,
            centered => lookalikes.centered
        );
    end if;

    if lookalikes.fraction is not null then
        _k := ceil(
            lookalikes.fraction
            * count_others(_leave_out, lookalikes.filter, lookalikes.centered, lookalikes.min_entries)
        );
    end if;

    if lookalikes.by = 'nearest' then
        return query
        select row_number() over (order by v.share desc, v.likeness desc, v.user_id), v.user_id, v.share
        from group_votes(
            lookalikes.user_ids,
            weights => lookalikes.weights,
            unlike => lookalikes.unlike,
            filter => lookalikes.filter,
            centered => lookalikes.centered,
            min_entries => lookalikes.min_entries
        ) v
        order by v.share desc, v.likeness desc, v.user_id
        limit _k;
        return;
    end if;

    return query
    select row_number() over (order by n.distance, n.user_id), n.user_id, 1 - n.distance
    from nearest_users(
        _group,
        _k,
        lookalikes.filter,
        _leave_out,
        lookalikes.centered,
        lookalikes.min_entries
    ) n
    order by n.distance, n.user_id;
end
$$;

comment on function lookalikes(
    text[], bigint, double precision, text[], double precision[], jsonb, boolean, bigint, text
) is
'Users most like a group, the group left out: k of them (20 if nothing is said), or a fraction of all other users, of
those whose attributes contain the filter and who have at least min_entries. By mean: nearest first to the mean of the
group''s vectors, with weights a weighted one, less a quarter of that of the users to stay away from, unlike
(group_vector); those are left out too. By nearest: similarity is the share of the group among the users nearest to each
(group_votes); it finds groups of many kinds of people better, and compares everybody with some two thousand, so it
takes seconds for tens of thousands of users. Users are as seen from the average user, which tells them apart better
than centered => false. lookalike_quality helps to choose the way, and how many.
Example: select * from lookalikes(array[''user_ski_only'', ''user_ski_horror_romcom''], fraction => 0.25);';
