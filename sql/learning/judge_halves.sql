-- How well users are known by half of what they have: whether the other half is found, and what it costs to guess it.
--
-- Each half is a user of its own. All second halves are ranked by likeness to a first half; reidentification is the
-- mean of one divided by the rank of the user's own. Segments are made of first halves, and so are the shares of
-- entries in each, drawn towards those of all by as much as one event of each entry; bits are what these shares save,
-- in the code of an entry of a second half, against the shares of all. Users not made of entries are in segments as
-- they are.
create function judge_halves(
    user_keys bigint[],
    k bigint,
    seed bigint default 0,
    out reidentification double precision,
    out reidentification_margin double precision,
    out bits double precision,
    out bits_margin double precision
)
language plpgsql
volatile
parallel unsafe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _queries constant bigint := 500;
    _made_of_entries constant boolean := not exists (select from space s where s.model = 'attributes')
        and not exists (select from given_user_vectors);
    _average constant vector := (select a.embedding from average_user a);
    _firsts vector[];
    _seconds vector[];
    _known vector[];
    _clusters bigint[];
begin
    select
        array_agg(case when vector_norm(h.first) > 0 then center_vector(l2_normalize(h.first), _average) end
            order by u.place),
        array_agg(case when vector_norm(h.second) > 0 then center_vector(l2_normalize(h.second), _average) end
            order by u.place)
    into _firsts, _seconds
    from unnest(judge_halves.user_keys) with ordinality u (user_key, place)
    left join (
        select
            h.user_key,
            sum(scale(v.embedding, h.weight)) filter (where not h.is_second) as first,
            sum(scale(v.embedding, h.weight)) filter (where h.is_second) as second
        from halve_activity(judge_halves.user_keys, judge_halves.seed) h
        join entry_vectors v using (entry_key)
        group by h.user_key
    ) h using (user_key);

    if _made_of_entries then
        with halves as materialized (
            select *
            from unnest(_firsts, _seconds) with ordinality h (first, second, place)
        ),
        queries as materialized (
            select h.place, h.first, h.first <=> h.second as distance
            from halves h
            order by h.place
            limit _queries
        )
        select avg(r.reciprocal), 1.96 * stddev(r.reciprocal) / sqrt(count(*))
        into reidentification, reidentification_margin
        from (
            select
                q.place,
                1.0 / case
                    when q.distance is null then count(*)
                    else 1 + count(*) filter (where q.first <=> h.second < q.distance)
                        + (count(*) filter (where q.first <=> h.second = q.distance) - 1) / 2.0
                end as reciprocal
            from queries q
            cross join halves h
            group by q.place, q.distance
        ) r;
    else
        select array_agg(center_vector(v.embedding, _average) order by u.place) into _firsts
        from unnest(judge_halves.user_keys) with ordinality u (user_key, place)
        join user_vectors v using (user_key);
    end if;

    _known := array_remove(_firsts, null);
    if cardinality(_known) < judge_halves.k then
        return;
    end if;

    select nearest_clusters(_known, f.fitted) into _clusters
    from fit_sample(_known, judge_halves.k, seed => judge_halves.seed) f;

    with members as (
        select u.user_key, coalesce(c.cluster, 0) as cluster
        from (
            select
                u.user_key,
                case when u.first is not null then
                    count(u.first) over (order by u.place rows unbounded preceding)
                end as known
            from unnest(judge_halves.user_keys, _firsts) with ordinality u (user_key, first, place)
        ) u
        left join unnest(_clusters) with ordinality c (cluster, known) using (known)
    ),
    events as materialized (
        select m.cluster, h.user_key, h.entry_key, h.is_second
        from halve_activity(judge_halves.user_keys, judge_halves.seed) h
        join members m using (user_key)
    ),
    known_events as materialized (
        select e.cluster, e.entry_key, count(*) as events
        from events e
        where not e.is_second
        group by e.cluster, e.entry_key
    ),
    totals as materialized (
        select
            (select sum(k.events) from known_events k)::double precision as events,
            (select count(distinct e.entry_key) from events e) as entries
    ),
    shares as materialized (
        select e.entry_key, e.events, (e.events + 1) / (t.events + t.entries) as share
        from (
            select e.entry_key, count(*) filter (where not e.is_second) as events
            from events e
            group by e.entry_key
        ) e
        cross join totals t
    )
    select avg(u.bits), 1.96 * stddev(u.bits) / sqrt(count(*)) into bits, bits_margin
    from (
        select
            e.user_key,
            avg(ln(
                (coalesce(k.events, 0) + t.entries * s.share) / (coalesce(c.events, 0) + t.entries)
                * (t.events + t.entries) / (s.events + t.entries * s.share)
            )) / ln(2) as bits
        from events e
        join shares s using (entry_key)
        cross join totals t
        left join known_events k using (cluster, entry_key)
        left join (
            select k.cluster, sum(k.events) as events from known_events k group by k.cluster
        ) c using (cluster)
        where e.is_second
        group by e.user_key
    ) u;
end
$$;

comment on function judge_halves(bigint[], bigint, bigint) is
'Internal. How well some users are known in this space by half of their entries: reidentification, the mean reciprocal
rank of the other half (of 500 of them, among all; null where users are not made of entries), and bits, what a segment,
of k, tells of an entry of the other half; _margin is half of the 95 % interval, over users.
Example: select reidentification, bits from judge_halves(array(select user_key from users), 2);';
