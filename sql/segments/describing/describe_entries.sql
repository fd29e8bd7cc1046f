-- What sets the segments of a run apart: log-odds with an informative Dirichlet prior, of weighted counts.
--
-- An entry counts in a segment with the sum of its weights over the members. Let y be that count, n the count of all
-- entries there, y' and n' the same outside of the segment, and a the entry's prior out of a total A. Then
--
--     log_odds = ln((y + a) / (n + A - y - a)) - ln((y' + a) / (n' + A - y' - a))
--     z_score = log_odds / sqrt(1 / (y + a) + 1 / (y' + a))
--
-- (Monroe, Colaresi and Quinn 2008, equations 16, 20 and 21.) The prior is the entry's share of all counts, times a
-- total A as large as the average segment's: an entry must be as telling as an average segment is large.
--
-- Activity is read once into (segment, entry) totals. They are hashed: the planner takes the users of a new run for
-- one, and would rather sort all activity.
create procedure describe_entries(
    run_id bigint
)
language plpgsql
set search_path from current
set jit = off
set enable_nestloop = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    _entries constant bigint := 100;
    _handful constant bigint := 10;
    _space constant space := (select s from space s);
    _now constant timestamptz := coalesce(_space.weighted_at, now());
begin
    delete from run_entries x where x.run_id = describe_entries.run_id;

    insert into run_entries (
        run_id, segment_id, entry_key, users, share, overall_share, lift, log_odds, z_score
    )
    with members as materialized (
        select m.segment_id, count(*) as users, sum(count(*)::double precision) over () as all_users
        from segment_assignments m
        where m.run_id = describe_entries.run_id
        group by m.segment_id
    ),
    totals as materialized (
        select
            m.segment_id,
            a.entry_key,
            count(*) as users,
            sum(entry_weight(a.frequency, _space.weighting) * recency(a.last_at, _space.half_life, _now)) as weight
        from segment_assignments m
        join activity a using (user_key)
        where m.run_id = describe_entries.run_id
        group by m.segment_id, a.entry_key
    ),
    segments as (
        select t.segment_id, sum(t.weight) as weight, sum(sum(t.weight)) over () as all_weight, count(*) over () as k
        from totals t
        group by t.segment_id
    ),
    entries as (
        select t.entry_key, sum(t.users::double precision) as users, sum(t.weight) as weight
        from totals t
        group by t.entry_key
    ),
    scores as (
        select
            t.segment_id,
            t.entry_key,
            t.users,
            t.users::double precision / m.users as share,
            e.users / m.all_users as overall_share,
            o.log_odds,
            o.log_odds / sqrt(1 / c.inside + 1 / c.outside) as z_score
        from totals t
        join members m using (segment_id)
        join segments s using (segment_id)
        join entries e using (entry_key)
        cross join lateral (
            select
                t.weight + e.weight / s.k as inside,
                e.weight - t.weight + e.weight / s.k as outside,
                s.all_weight / s.k as prior
        ) c
        cross join lateral (
            select coalesce(
                ln(c.inside / nullif(greatest(s.weight + c.prior - c.inside, 0), 0))
                - ln(c.outside / nullif(greatest(s.all_weight - s.weight + c.prior - c.outside, 0), 0)),
                0
            ) as log_odds
        ) o
        where t.users > 1 or m.users <= _handful
    ),
    ranked as (
        select r.*, row_number() over (partition by r.segment_id order by r.z_score desc, r.entry_key) as place
        from scores r
    )
    select
        describe_entries.run_id, r.segment_id, r.entry_key, r.users, r.share, r.overall_share,
        r.share / r.overall_share, r.log_odds, r.z_score
    from ranked r
    where r.place <= _entries
    order by r.segment_id, r.place;
end
$$;

comment on procedure describe_entries(bigint) is
'Internal. Stores the hundred entries that set each segment of a run apart the most: the highest z-scores of log-odds
with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008). The count of an entry in a segment is the sum of
its weights there; its prior is its share of all counts times the average segment''s total. Where a segment has more
than ten users, an entry of a single one is not considered.
Example: call describe_entries(1);';
