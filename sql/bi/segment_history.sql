-- How large the segments were in every published run, for BI tools, without those of very few users then.
create view segment_history as
select
    p.segmentation,
    r.run_id,
    r.published_at,
    s.segment_id,
    coalesce(n.name, s.name) as segment,
    s.users,
    s.share
from segmentations p
join segmentation_runs r using (segmentation)
join run_segments s using (run_id)
left join segment_names n using (segmentation, segment_id)
where r.published_at is not null and s.users >= p.suppress_below;

comment on view segment_history is
'How large each segment was, in every run that was ever published.
Example: select published_at, segment, users from audience_bi.segment_history where segmentation = ''interests'';';
comment on column segment_history.segmentation is 'The segmentation.';
comment on column segment_history.run_id is 'The run.';
comment on column segment_history.published_at is 'When it was last published.';
comment on column segment_history.segment_id is 'The segment.';
comment on column segment_history.segment is 'What it is called now, or was called then.';
comment on column segment_history.users is 'How many users were in it.';
comment on column segment_history.share is 'Their share of all users in segments, 0 to 1.';
