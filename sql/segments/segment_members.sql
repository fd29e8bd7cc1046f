-- Who is in which segment of the published runs.
create view segment_members as
select
    m.segmentation,
    m.segment_id,
    s.name as segment,
    m.user_id,
    m.similarity,
    m.runner_up_id,
    m.margin,
    r.name as runner_up,
    m.attributes
from published_members m
join segments s on s.segmentation = m.segmentation and s.segment_id = m.segment_id
left join segments r on r.segmentation = m.segmentation and r.segment_id = m.runner_up_id;

comment on view segment_members is
'Who is in which segment, how much of its kind, and which segment would be next.
Example: select user_id, similarity from segment_members where (segmentation, segment_id) = (''interests'', 1);';
comment on column segment_members.segmentation is 'The segmentation.';
comment on column segment_members.segment_id is 'The segment.';
comment on column segment_members.segment is 'Its name.';
comment on column segment_members.user_id is 'The user.';
comment on column segment_members.similarity is 'The cosine of user and centroid, -1 to 1: high is typical.';
comment on column segment_members.runner_up_id is 'The segment that would be next; null if there is only one.';
comment on column segment_members.margin is
'How much higher the cosine is than that to the runner-up: near 0 on the border.';
comment on column segment_members.runner_up is 'The name of the runner-up.';
comment on column segment_members.attributes is 'What else is known of the user, as a JSON object.';
