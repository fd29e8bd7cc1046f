-- Notes what became of each segment since an earlier run: kept, split, merged, new, retired.
create procedure record_lineage(
    run_id bigint,
    previous_run_id bigint
)
language plpgsql
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    insert into segment_lineage (run_id, event, previous_segment_id, segment_id, users, similarity)
    with
    before as (
        select s.segment_id, s.users, s.centroid
        from run_segments s
        where s.run_id = record_lineage.previous_run_id
    ),
    after as (
        select s.segment_id, s.users, s.centroid
        from run_segments s
        where s.run_id = record_lineage.run_id
    ),
    shared as (
        select b.segment_id as previous_segment_id, a.segment_id, count(*) as users
        from segment_assignments a
        join segment_assignments b using (user_key)
        where a.run_id = record_lineage.run_id and b.run_id = record_lineage.previous_run_id
        group by b.segment_id, a.segment_id
    ),
    events as (
        select 'kept' as event, b.segment_id as previous_segment_id, a.segment_id
        from before b
        join after a using (segment_id)
        union all
        (select distinct on (a.segment_id)
            case when 2 * s.users >= a.users then 'split' else 'new' end,
            case when 2 * s.users >= a.users then s.previous_segment_id end,
            a.segment_id
        from after a
        left join shared s using (segment_id)
        where a.segment_id not in (select b.segment_id from before b)
        order by a.segment_id, s.users desc nulls last, s.previous_segment_id)
        union all
        (select distinct on (b.segment_id)
            case when 2 * s.users >= b.users then 'merged' else 'retired' end,
            b.segment_id,
            case when 2 * s.users >= b.users then s.segment_id end
        from before b
        left join shared s on s.previous_segment_id = b.segment_id
        where b.segment_id not in (select a.segment_id from after a)
        order by b.segment_id, s.users desc nulls last, s.segment_id)
    )
    select
        record_lineage.run_id,
        e.event,
        e.previous_segment_id,
        e.segment_id,
        case
            when e.previous_segment_id is null then a.users
            when e.segment_id is null then b.users
            else coalesce(s.users, 0)
        end,
        1 - (a.centroid <=> b.centroid)
    from events e
    left join before b on b.segment_id = e.previous_segment_id
    left join after a on a.segment_id = e.segment_id
    left join shared s on (s.previous_segment_id, s.segment_id) = (e.previous_segment_id, e.segment_id)
    order by e.segment_id, e.previous_segment_id;
end
$$;

comment on procedure record_lineage(bigint, bigint) is
'Internal. Notes in segment_lineage what became of each segment of an earlier run, and where new ones came from: a new
segment most of whose users were together is a split, an old one most of whose users are together now has merged.
Example: call record_lineage(1, previous_run_id => 1);';
