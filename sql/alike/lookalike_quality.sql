-- How well lookalikes of some users of a group find the others.
create function lookalike_quality(
    user_ids text[],
    folds bigint default 5,
    seed bigint default 0,
    unlike text[] default null,
    centered boolean default true
)
returns table (
    rank bigint,
    share double precision,
    recall double precision,
    lift double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _group text[];
    _folds bigint;
    _left_out text[];
    _fold_places bigint[];
    _fold_others bigint;
    _places bigint[] := '{}';
    _others bigint[] := '{}';
begin
    perform group_vector(
        lookalike_quality.user_ids,
        unlike => lookalike_quality.unlike,
        centered => lookalike_quality.centered
    );

    select array_agg(u.user_id order by hashint8extended(u.user_key, lookalike_quality.seed), u.user_key) into _group
    from users u
    where u.user_id = any (lookalike_quality.user_ids);

    if not coalesce(lookalike_quality.folds >= 2 and lookalike_quality.seed is not null, false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'folds is 2 or more, and seed is a number',
            hint = 'For example: folds => 5';
    end if;
    if cardinality(_group) < 2 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'a group of one has nobody to find again';
    end if;

    _folds := least(lookalike_quality.folds, cardinality(_group));

    for _fold in 1 .. _folds loop
        _left_out := array(
            select g.user_id from unnest(_group) with ordinality g (user_id, n) where g.n % _folds <> _fold % _folds
        );

        execute format(
            'select coalesce(array_agg(p.place) filter (where p.user_id = any ($3)), ''{}''), count(*)
            from (
                select v.user_id, row_number() over (order by v.embedding <=> $1, v.user_id) as place
                from %I v
                where v.user_id <> all ($2)
            ) p',
            user_vector_relation(lookalike_quality.centered)
        )
        into _fold_places, _fold_others
        using
            group_vector(_left_out, unlike => lookalike_quality.unlike, centered => lookalike_quality.centered),
            _left_out || coalesce(lookalike_quality.unlike, '{}'),
            _group;

        _places := _places || _fold_places;
        _others := _others || array_fill(_fold_others, array[cardinality(_fold_places)]);
    end loop;

    return query
    select q.rank, q.share, q.recall, q.recall / q.share
    from (
        select
            r.rank,
            avg(least(r.rank / p.others::double precision, 1)) as share,
            avg((p.place <= r.rank)::integer)::double precision as recall
        from (
            select distinct least(step * power::bigint, (select max(o) from unnest(_others) o)) as rank
            from unnest(array[1, 2, 5]::bigint[]) step
            cross join generate_series(0, 12) digits
            cross join lateral (select 10 ^ digits::numeric) p (power)
        ) r
        cross join unnest(_places, _others) p (place, others)
        group by r.rank
    ) q
    order by q.rank;
end
$$;

comment on function lookalike_quality(text[], bigint, bigint, text[], boolean) is
'How many lookalikes of a group to take: for growing ranks, up to everybody, the share of all other users that is, the
recall of users of the group that were held out, and lift, how many times the share that is: 1 is chance. The group is
split into folds at random, always the same for the same seed, and each is looked for by lookalikes of the rest.
Example: select * from lookalike_quality(array[''user_ski_only'', ''user_ski_horror_romcom''], folds => 2);';
