-- Users closest in taste to one user.
create function similar_users(
    of_user text,
    k bigint default 20,
    by text default 'vector',
    centered boolean default true,
    filter jsonb default '{}',
    min_entries bigint default 1
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
    _vectors text;
    _user_key bigint;
    _self vector;
begin
    if similar_users.by is null or similar_users.by not in ('vector', 'entries', 'both') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('users cannot be compared by %L', similar_users.by),
            hint = 'Use: by => ''vector'', by => ''entries'' or by => ''both''';
    end if;
    perform check_k(similar_users.k);
    perform check_filter(similar_users.filter);
    perform check_min_entries(similar_users.min_entries);

    select u.user_key into _user_key
    from users u
    where u.user_id = similar_users.of_user;

    if similar_users.by = 'entries' then
        if not exists (select from entry_lengths l where l.user_key = _user_key) then
            raise exception using
                errcode = 'no_data_found',
                message = case
                    when _user_key is null then format('there is no user %L', similar_users.of_user)
                    else format('user %L has no entries', similar_users.of_user)
                end,
                hint = 'Users are compared by what was loaded until the last refresh: call refresh();';
        end if;

        return query
        select row_number() over (order by r.similarity desc, r.user_id), r.user_id, r.similarity
        from rank_by_entries(_user_key, similar_users.k, similar_users.filter, similar_users.min_entries) r
        order by r.similarity desc, r.user_id;
        return;
    end if;

    _vectors := user_vector_relation(similar_users.centered);

    execute format('select v.embedding from %I v where v.user_key = $1', _vectors)
    into _self
    using _user_key;

    if _self is null then
        if exists (select from user_vectors v where v.user_key = _user_key) then
            raise exception using
                errcode = 'no_data_found',
                message = format('user %L is exactly the average user', similar_users.of_user),
                hint = 'Compare users as they are: centered => false';
        end if;
        perform check_user(similar_users.of_user);
    end if;

    if similar_users.by = 'vector' then
        return query
        select row_number() over (order by n.distance, n.user_id), n.user_id, 1 - n.distance
        from nearest_users(
            _self,
            similar_users.k,
            similar_users.filter,
            leave_out => array[similar_users.of_user],
            centered => similar_users.centered,
            min_entries => similar_users.min_entries
        ) n
        order by n.distance, n.user_id;
        return;
    end if;

    return query
    select row_number() over (order by r.similarity desc, r.user_id), r.user_id, r.similarity
    from rank_by_entries(
        _user_key,
        similar_users.k,
        similar_users.filter,
        similar_users.min_entries,
        of_vectors => _vectors,
        self => _self
    ) r
    order by r.similarity desc, r.user_id;
end
$$;

comment on function similar_users(text, bigint, text, boolean, jsonb, bigint) is
'Users closest in taste to one user, nearest first. By vector: similarity is the cosine, -1 to 1, as seen from the
average user, which tells users apart better than centered => false does; for what people take once, such as films,
and for speed. By entries: the cosine of tf-idf weights, 0 to 1, of the very same entries, with or without a vector.
By both: a third of the one and two thirds of the other; best where people return to the same entries, such as
groceries or pages. filter keeps users whose attributes contain it, min_entries those of at least so many entries.
Example: select * from similar_users(''user_ski_only'', k => 5);';
