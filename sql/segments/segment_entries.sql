-- What sets the segments of the published runs apart.
create view segment_entries as
select
    s.segmentation,
    s.segment_id,
    s.name as segment,
    e.entry,
    x.users,
    x.share,
    x.overall_share,
    x.lift,
    x.log_odds,
    x.z_score
from segmentations p
join run_entries x on x.run_id = p.published_run_id
join segments s on (s.segmentation, s.segment_id) = (p.segmentation, x.segment_id)
join entries e on e.entry_key = x.entry_key;

comment on view segment_entries is
'The hundred entries that set each segment apart the most, by z_score.
Example: select segment, entry, lift from segment_entries where segmentation = ''interests'' order by z_score desc;';
comment on column segment_entries.segmentation is 'The segmentation.';
comment on column segment_entries.segment_id is 'The segment.';
comment on column segment_entries.segment is 'Its name.';
comment on column segment_entries.entry is 'The text.';
comment on column segment_entries.users is 'How many users of the segment have it.';
comment on column segment_entries.share is 'Their share of the segment''s users, 0 to 1.';
comment on column segment_entries.overall_share is 'The share of all users in segments who have it, 0 to 1.';
comment on column segment_entries.lift is 'How many times the overall share that is.';
comment on column segment_entries.log_odds is
'Log-odds ratio of the entry''s weight, in the segment to outside it; above 0 it is commoner there.';
comment on column segment_entries.z_score is 'That in standard deviations: how sure it is; above 2 is no chance.';
