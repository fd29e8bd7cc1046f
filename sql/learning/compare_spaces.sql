-- Which of several spaces over the same people is better, and what for.
create function compare_spaces(
    spaces text[],
    k bigint default null,
    group_filter jsonb default null,
    label text default null,
    sample_size bigint default 2000,
    seed bigint default 0
)
returns table (
    space text,
    model text,
    dimensions integer,
    users bigint,
    coverage double precision,
    reidentification double precision,
    reidentification_margin double precision,
    bits double precision,
    bits_margin double precision,
    lift double precision,
    silhouette double precision,
    stability double precision,
    label_silhouette double precision,
    seconds double precision,
    bytes bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _most_segments constant bigint := 12;
    _users_a_segment constant bigint := 5;
    _space text;
    _base text;
    _bases text[] := '{}';
    _compared text := '';
    _user_keys bigint[];
    _k bigint;
begin
    perform check_sample(compare_spaces.sample_size);
    if compare_spaces.group_filter is not null then
        perform check_filter(compare_spaces.group_filter);
    end if;

    if coalesce(cardinality(compare_spaces.spaces), 0) = 0
        or array_position(compare_spaces.spaces, null) is not null
    then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'name a space or more',
            hint = 'For example: select * from compare_spaces(array[''audience'']);';
    end if;

    if compare_spaces.k < 2 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('k is the number of segments, 2 or more, not %s', compare_spaces.k);
    end if;

    foreach _space in array compare_spaces.spaces loop
        if to_regclass(format('%I.space', _space)) is null then
            raise exception using
                errcode = 'undefined_object',
                message = format('there is no space %L', _space),
                hint = 'Those over the people of this one: select space from derived_spaces;';
        end if;

        execute format('select coalesce(s.base, %L) from %I.space s', _space, _space) into _base;
        _bases := _bases || _base;
        _compared := _compared || format(
            ' and exists (select from %I.user_vectors v where v.user_key = u.user_key)',
            _space
        );
    end loop;

    if (select count(distinct b) from unnest(_bases) b) <> 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'these spaces are not over the same people: %s', array_to_string(compare_spaces.spaces, ', ')
            ),
            hint = 'For example: select * from compare_spaces(array[''audience'']);';
    end if;

    execute format(
        'select array_agg(s.user_key)
        from (
            select u.user_key
            from %I.users u
            where true %s
            order by hashint8extended(u.user_key, $1), u.user_key
            limit $2
        ) s',
        _base,
        _compared
    )
    into _user_keys
    using compare_spaces.seed, compare_spaces.sample_size;

    _k := coalesce(
        compare_spaces.k,
        greatest(least(_most_segments, cardinality(_user_keys) / _users_a_segment), 2)
    );

    if coalesce(cardinality(_user_keys), 0) <= _k then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format(
                '%s users have a vector in each space, which are too few for %s segments',
                coalesce(cardinality(_user_keys), 0),
                coalesce(_k, 2)
            ),
            hint = 'Bring the spaces up to date, in a shell: pgaudience refresh --all';
    end if;

    foreach _space in array compare_spaces.spaces loop
        perform report_progress(format('compare_spaces: %s', _space));

        return query execute format(
            'select %L, s.model, s.dimensions, j.*
            from %I.space s
            cross join %2$I.judge_space($1, $2, $3, $4, $5) j',
            _space,
            _space
        )
        using _user_keys, _k, compare_spaces.group_filter, compare_spaces.label, compare_spaces.seed;
    end loop;
end
$$;

comment on function compare_spaces(text[], bigint, jsonb, text, bigint, bigint) is
'Which of several spaces over the same people is better: a row for each, of a sample of the users who have a vector in
all of them, always the same. reidentification: each user''s entries are halved by chance; the mean of one divided by
the rank at which the other half is found (1 best). bits: what knowing the segment, of k, tells of an entry of the
other half, which is not to be had by accident. lift: how many times oftener than by chance the best tenth of lookalikes
of half a group, the users whose attributes contain group_filter, has the others. silhouette and stability are of
segments, and mislead: one clump and a few strays have high ones. label_silhouette: of an attribute of entries.
coverage: the share of all users who have a vector; seconds: of a question for the nearest users; bytes: of vectors.
_margin is half of the 95 % interval. A space that has learned from both halves is flattered.
Example: select space, reidentification, bits from compare_spaces(array[''audience''], sample_size => 100);';
