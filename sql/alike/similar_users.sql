-- Users closest in taste to one user.
create function similar_users(
    of_user text,
    k bigint default 20,
    by text default 'vector',
    centered boolean default true
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
    _weight_of_entries constant double precision := 2;
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
    if similar_users.k is null or similar_users.k < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('k is how many rows to return, not %s', coalesce(similar_users.k::text, 'null'));
    end if;

    select u.user_key into _user_key
    from users u
    where u.user_id = similar_users.of_user;

    if similar_users.by = 'entries' then
        if not exists (select from entry_lengths l where l.user_key = _user_key) then
            raise exception using
                errcode = 'no_data_found',
                message = format('user %L has no entries', similar_users.of_user),
                hint = 'Users are compared by what was loaded until the last refresh: call refresh();';
        end if;

        return query
        select row_number() over (order by s.similarity desc, s.user_id), s.user_id, s.similarity
        from (
            select u.user_id, coalesce(e.similarity, 0) as similarity
            from entry_lengths l
            join users u using (user_key)
            left join entry_similarities(_user_key) e using (user_key)
            where l.user_key <> _user_key
            order by similarity desc, u.user_id
            limit similar_users.k
        ) s
        order by s.similarity desc, s.user_id;
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
        raise exception using
            errcode = 'no_data_found',
            message = format('user %L has no vector', similar_users.of_user),
            hint = 'Users get a vector at the next refresh after one of their entries is embedded: call refresh();';
    end if;

    if similar_users.by = 'vector' then
        return query
        select row_number() over (order by n.distance, n.user_id), n.user_id, 1 - n.distance
        from nearest_users(
            _self,
            similar_users.k,
            leave_out => array[similar_users.of_user],
            centered => similar_users.centered
        ) n
        order by n.distance, n.user_id;
        return;
    end if;

    return query execute format(
        'select row_number() over (order by s.similarity desc, s.user_id), s.user_id, s.similarity
        from (
            select
                v.user_id,
                (1 - (v.embedding <=> $1) + $2 * coalesce(e.similarity, 0)) / (1 + $2) as similarity
            from %I v
            left join entry_similarities($3) e using (user_key)
            where v.user_key <> $3
            order by similarity desc, v.user_id
            limit $4
        ) s
        order by s.similarity desc, s.user_id',
        _vectors
    )
    using _self, _weight_of_entries, _user_key, similar_users.k;
end
$$;

comment on function similar_users(text, bigint, text, boolean) is
'Users closest in taste to one user, nearest first. By vector: similarity is the cosine, -1 to 1, as seen from the average
user, which tells users apart better than centered => false does; for what people take once, such as films, and for
speed. By entries: the cosine of tf-idf weights, 0 to 1, of the very same entries, with or without a vector. By both: a
third of the one and two thirds of the other; best where people return to the same entries, such as groceries or pages.
Example: select * from similar_users(''user_ski_only'', k => 5);';
