-- Who went from which segment to which, with their names, for BI tools. Segments that had very few users when they were
-- last published are hidden.
create view segment_changes as
with names as materialized (
    select l.segmentation, l.segment_id, coalesce(n.name, l.name) as name
    from (
        select distinct on (r.segmentation, s.segment_id) r.segmentation, s.segment_id, s.name, s.users
        from segmentation_runs r
        join run_segments s using (run_id)
        where r.published_at is not null
        order by r.segmentation, s.segment_id, r.run_id desc
    ) l
    join segmentations p using (segmentation)
    left join segment_names n using (segmentation, segment_id)
    where l.users >= p.suppress_below
)
select
    c.change_id,
    c.segmentation,
    c.run_id,
    c.changed_at,
    c.user_id,
    f.segment_id as from_segment_id,
    f.name as from_segment,
    t.segment_id as to_segment_id,
    t.name as to_segment
from segment_changes c
left join names f on (f.segmentation, f.segment_id) = (c.segmentation, c.from_segment_id)
left join names t on (t.segmentation, t.segment_id) = (c.segmentation, c.to_segment_id)
where f.segment_id is not null or t.segment_id is not null;

comment on view segment_changes is
'Who went from which segment to which, whenever a run was published.
Example: select from_segment, to_segment, count(*) from audience_bi.segment_changes group by 1, 2 order by 3 desc;';
comment on column segment_changes.change_id is 'Its number, ascending.';
comment on column segment_changes.segmentation is 'The segmentation.';
comment on column segment_changes.run_id is 'The run that was published.';
comment on column segment_changes.changed_at is 'When.';
comment on column segment_changes.user_id is 'The user.';
comment on column segment_changes.from_segment_id is
'The segment left; null for who was in none, or in one that is hidden.';
comment on column segment_changes.from_segment is 'What it is called now, or was called last.';
comment on column segment_changes.to_segment_id is
'The segment entered; null for who is in none, or in one that is hidden.';
comment on column segment_changes.to_segment is 'What it is called now, or was called last.';
