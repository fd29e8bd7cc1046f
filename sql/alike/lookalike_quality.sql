-- How well lookalikes of some users of a group find the others.
create function lookalike_quality(
    user_ids text[],
    folds bigint default 5,
    seed bigint default 0,
    unlike text[] default null,
    centered boolean default true,
    by text default 'mean'
)
returns table (
    rank bigint,
    share double precision,
    recall double precision,
    lift double precision,
    found_by text
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
    _asked constant text[] := case
        when lookalike_quality.by is null then array['mean', 'nearest']
        else array[lookalike_quality.by]
    end;
    _way text;
    _ways text[] := '{}';
    _places bigint[] := '{}';
    _others bigint[] := '{}';
begin
    if lookalike_quality.by is not null then
        perform check_way(lookalike_quality.by);
    end if;
    perform check_group(lookalike_quality.user_ids, unlike => lookalike_quality.unlike);

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

        foreach _way in array _asked loop
            select
                coalesce(array_agg(l.rank) filter (where l.user_id = any (_group)), '{}'),
                count(*)
            into _fold_places, _fold_others
            from lookalikes(
                _left_out,
                fraction => 1,
                unlike => lookalike_quality.unlike,
                centered => lookalike_quality.centered,
                by => _way
            ) l;

            _places := _places || _fold_places;
            _others := _others || array_fill(_fold_others, array[cardinality(_fold_places)]);
            _ways := _ways || array_fill(_way, array[cardinality(_fold_places)]);
        end loop;
    end loop;

    return query
    select q.rank, q.share, q.recall, q.recall / q.share, q.found_by
    from (
        select
            p.found_by,
            r.rank,
            avg(least(r.rank / p.others::double precision, 1)) as share,
            avg((p.place <= r.rank)::integer)::double precision as recall
        from (
            select distinct least(step * power::bigint, (select max(o) from unnest(_others) o)) as rank
            from unnest(array[1, 2, 5]::bigint[]) step
            cross join generate_series(0, 12) digits
            cross join lateral (select 10 ^ digits::numeric) p (power)
        ) r
        cross join unnest(_places, _others, _ways) p (place, others, found_by)
        group by p.found_by, r.rank
    ) q
    order by q.found_by, q.rank;
end
$$;

comment on function lookalike_quality(text[], bigint, bigint, text[], boolean, text) is
'How many lookalikes of a group to take, found which way (by; null: each, in found_by): for growing ranks, up to
everybody, the share of all other users that is, the recall of users of the group that were held out, and lift, how many
times the share that is: 1 is chance. The group is split into folds at random, always the same for the same seed, and
each is looked for by lookalikes of the rest.
Example: select * from lookalike_quality(array[''user_ski_only'', ''user_ski_horror_romcom''], folds => 2, by => null);';
