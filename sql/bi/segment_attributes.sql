-- What the users of the segments are like, for BI tools.
create view segment_attributes as
select x.*, s.label
from segment_attributes x
join segments s using (segmentation, segment_id);

comment on view segment_attributes is
'The users'' attributes in each segment beside all segments: means of numbers, shares of the commonest values of others.
Example: select segment, mean, overall_mean from audience_bi.segment_attributes where attribute = ''age'';';
comment on column segment_attributes.segmentation is 'The segmentation.';
comment on column segment_attributes.segment_id is 'The segment.';
comment on column segment_attributes.segment is 'Its name.';
comment on column segment_attributes.attribute is 'The key in users.attributes.';
comment on column segment_attributes.value is 'One of its ten commonest values there; null for a number.';
comment on column segment_attributes.users is 'Users of the segment who have this value, or any number.';
comment on column segment_attributes.share is
'Of a value: their share among the segment''s users who have the attribute, 0 to 1.';
comment on column segment_attributes.overall_share is 'The same share over all segments.';
comment on column segment_attributes.lift is 'How many times the overall share the share is.';
comment on column segment_attributes.mean is 'Of a number: its mean in the segment.';
comment on column segment_attributes.median is 'Of a number: its median in the segment.';
comment on column segment_attributes.overall_mean is 'The mean over all segments.';
comment on column segment_attributes.overall_median is 'The median over all segments.';
comment on column segment_attributes.label is 'The name of the segment in at most 25 characters.';
