-- A heat table of entries by segments, for BI tools.
create view segment_grid as
select x.*, s.label
from segment_grid x
join segments s using (segmentation, segment_id);

comment on view segment_grid is
'The twenty entries that set each segment apart the most, in every segment: a heat table without gaps.
Example: select entry, label, lift from audience_bi.segment_grid where rank <= 5 order by entry, segment_id;';
comment on column segment_grid.segmentation is 'The segmentation.';
comment on column segment_grid.segment_id is 'The segment.';
comment on column segment_grid.segment is 'Its name.';
comment on column segment_grid.entry is 'The text.';
comment on column segment_grid.users is 'How many users of the segment have it; 0 where nobody does.';
comment on column segment_grid.share is 'Their share of the segment''s users, 0 to 1.';
comment on column segment_grid.overall_share is 'The share of all users in segments who have it, 0 to 1.';
comment on column segment_grid.lift is 'How many times the overall share that is.';
comment on column segment_grid.rank is
'1 for an entry that sets some segment apart the most, 2 for the next one of a segment, and so on to 20.';
comment on column segment_grid.label is 'The name of the segment in at most 25 characters.';
