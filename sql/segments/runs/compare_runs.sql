-- How alike two runs of a segmentation are, over the users who are in both.
--
-- Statistics know nothing of a run that is new, so its users are taken for one, and two such runs would be joined by a
-- nested loop: hours. What reads whole runs therefore goes without nested loops, here and in its neighbours.
create function compare_runs(
    run_id bigint,
    other_run_id bigint,
    out users bigint,
    out users_moved bigint,
    out adjusted_rand_index double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    select
        coalesce(sum(s.users), 0),
        coalesce(sum(s.users) filter (where s.segment_id <> s.other_id), 0),
        (partition_agreement(array_agg(s.segment_id), array_agg(s.other_id), array_agg(s.users))).adjusted_rand_index
    into users, users_moved, adjusted_rand_index
    from (
        select a.segment_id, b.segment_id as other_id, count(*) as users
        from segment_assignments a
        join segment_assignments b using (user_key)
        where a.run_id = compare_runs.run_id and b.run_id = compare_runs.other_run_id
        group by a.segment_id, b.segment_id
    ) s;
end
$$;

comment on function compare_runs(bigint, bigint) is
'Internal. Two runs over the users in both: how many there are, how many of them are in another segment, and the
adjusted Rand index of the two, 1 for the same segments and about 0 for unrelated ones; null without such users.
Example: select * from compare_runs(1, 1);';
