-- Who is in which segment, for BI tools: no keys, no vectors.
create view segment_members as
select x.*
from segment_members x
where (x.segmentation, x.segment_id) in (select s.segmentation, s.segment_id from segments s);

comment on view segment_members is
'Who is in which segment, how much of its kind, and which segment would be next.
Example: select segment, count(*) from audience_bi.segment_members group by segment order by 2 desc;';
comment on column segment_members.segmentation is 'The segmentation.';
comment on column segment_members.segment_id is 'The segment.';
comment on column segment_members.segment is 'Its name.';
comment on column segment_members.user_id is 'The user.';
comment on column segment_members.similarity is 'The cosine of user and centroid, -1 to 1: high is typical.';
comment on column segment_members.runner_up_id is 'The segment that would be next; null if there is only one.';
comment on column segment_members.margin is
'How much higher the cosine is than that to the runner-up: near 0 on the border.';
