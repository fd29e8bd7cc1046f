-- How large the segments were whenever a run was published, for BI tools, without those of very few users then.
create view segment_history as
select
    p.segmentation,
    r.run_id,
    l.published_at,
    s.segment_id,
    s.name as segment,
    s.users,
    s.share,
    coalesce(n.name, c.name, s.name) as current_name,
    coalesce(e.label, short_label(coalesce(n.name, s.name))) as current_label
from segmentations p
join segmentation_runs r using (segmentation)
join segment_publications l using (run_id)
join run_segments s using (run_id)
left join segment_names n using (segmentation, segment_id)
left join segments e using (segmentation, segment_id)
left join run_segments c on (c.run_id, c.segment_id) = (p.published_run_id, s.segment_id)
where s.users >= p.suppress_below;

comment on view segment_history is
'How large each segment was whenever a run was published: a run that was rolled back to is there twice.
Example: select published_at, current_name, users from audience_bi.segment_history where segmentation = ''interests'';';
comment on column segment_history.segmentation is 'The segmentation.';
comment on column segment_history.run_id is 'The run.';
comment on column segment_history.published_at is 'When it was published, or as of when.';
comment on column segment_history.segment_id is 'The segment.';
comment on column segment_history.segment is 'What its entries called it then.';
comment on column segment_history.users is 'How many users were in it.';
comment on column segment_history.share is 'Their share of all users in segments, 0 to 1.';
comment on column segment_history.current_name is
'What it is called now, or was called then if it is gone: the name for a series over time.';
comment on column segment_history.current_label is 'That name in at most 25 characters.';
