-- A heat table of entries by segments, for BI tools.
create view segment_grid as
select x.*
from segment_grid x
where (x.segmentation, x.segment_id) in (select s.segmentation, s.segment_id from segments s);

comment on view segment_grid is
'The twenty entries that set each segment apart the most, in every segment: a heat table without gaps.
Example: select entry, segment, lift from audience_bi.segment_grid order by entry, segment_id;';
comment on column segment_grid.segmentation is 'The segmentation.';
comment on column segment_grid.segment_id is 'The segment.';
comment on column segment_grid.segment is 'Its name.';
comment on column segment_grid.entry is 'The text.';
comment on column segment_grid.users is 'How many users of the segment have it; 0 where nobody does.';
comment on column segment_grid.share is 'Their share of the segment''s users, 0 to 1.';
comment on column segment_grid.overall_share is 'The share of all users in segments who have it, 0 to 1.';
comment on column segment_grid.lift is 'How many times the overall share that is.';
