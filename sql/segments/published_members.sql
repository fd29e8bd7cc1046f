-- Who is in which segment of the published runs. The views of both schemas add the names of the segments, each those
-- that may be seen there.
create view published_members as
select
    p.segmentation,
    a.segment_id,
    u.user_id,
    a.similarity,
    a.runner_up_id,
    a.margin,
    u.attributes
from segmentations p
join segment_assignments a on a.run_id = p.published_run_id
join users u using (user_key);

comment on view published_members is
'Internal. Who is in which segment, by its number: read segment_members.
Example: select user_id from published_members where segmentation = ''interests'' and segment_id = 1;';
comment on column published_members.segmentation is 'The segmentation.';
comment on column published_members.segment_id is 'The segment.';
comment on column published_members.user_id is 'The user.';
comment on column published_members.similarity is 'The cosine of user and centroid, -1 to 1: high is typical.';
comment on column published_members.runner_up_id is 'The segment that would be next; null if there is only one.';
comment on column published_members.margin is
'How much higher the cosine is than that to the runner-up: near 0 on the border.';
comment on column published_members.attributes is 'What else is known of the user, as a JSON object.';
