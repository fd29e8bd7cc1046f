-- What a segment is: skiers and the rest, see fixture/segments.sql.
\ir fixture/segments.sql

-- What the segments are.
select segment_id, name, keywords, users, share, cohesion, silhouette, nearest_segment_id from segments order by 1;
select segment_id, segment, user_id, round(similarity::numeric, 3) as similarity, runner_up_id,
    round(margin::numeric, 3) as margin
from segment_members
order by segment_id, user_id;
select segment_id, entry, users, round(share::numeric, 3) as share, round(overall_share::numeric, 3) as overall_share,
    round(lift::numeric, 3) as lift, round(log_odds::numeric, 3) as log_odds, round(z_score::numeric, 3) as z_score
from segment_entries
order by segment_id, z_score desc, entry;
select segment_id, attribute, value, users, round(share::numeric, 3) as share, round(lift::numeric, 3) as lift, mean,
    median, round(overall_mean::numeric, 3) as overall_mean, overall_median
from segment_attributes
order by segment_id, attribute, value;
select attribute, kind, users, round(mutual_information::numeric, 3) as mutual_information,
    round(cramers_v::numeric, 3) as cramers_v, round(eta_squared::numeric, 3) as eta_squared
from segment_drivers
order by attribute;

-- Who is in them, and why.
select kind, user_id, round(similarity::numeric, 3) as similarity, round(margin::numeric, 3) as margin, top_entries
from segment_examples('interests', 1, k => 2);
select entry, frequency, round(weight::numeric, 3) as weight, round(similarity::numeric, 3) as similarity,
    round(contribution::numeric, 3) as contribution
from explain_segment('interests', 'eve');

-- Newcomers: a vector, a user of a segment, a user who is not refreshed yet, one without any vector.
select segment_id, segment, round(similarity::numeric, 3) as similarity, runner_up_id,
    round(margin::numeric, 3) as margin
from assign_segment('interests', '[0,3,0]'::vector);
select segment_id, round(similarity::numeric, 3) as similarity from assign_segment('interests', 'ann');
insert into activity_input values ('new', 'Snow Park');
select segment_id, round(similarity::numeric, 3) as similarity from assign_segment('interests', 'new');
select * from assign_segment('interests', 'zoe');
select * from assign_segment('interests', '[0,1,0]');

-- A tree: the leaf decides, and the segment may be another than by centroids.
insert into run_tree (run_id, node_id, parent_id, height, users, segment_id, centroid)
values
    (1, 1, 4, 0, 1, 1, '[1,0,0]'), (1, 2, 4, 0, 2, 1, '[0,1,0]'), (1, 3, 5, 0, 2, 2, '[0,0,1]'),
    (1, 4, 5, 0.5, 3, 1, '[0.3,0.7,0]'), (1, 5, null, 1, 5, null, '[0.2,0.4,0.4]');
select * from segment_tree order by node_id;
select segment_id, runner_up_id, round(margin::numeric, 3) as margin
from assign_segment('interests', '[0,3,0]'::vector);

-- A name given by a person.
call rename_segment('interests', 1, '  Weekend   skiers ');
call describe_run(1);
select segment_id, name from segments order by 1;
select distinct segment from segment_members order by 1;
call rename_segment('interests', 1, 'Skiers');
select segment_id, name from segments order by 1;
call rename_segment('interests', 2, 'skiers');
call rename_segment('interests', 2, ' ');
call rename_segment('interests', 3, 'Nobody');
call rename_segment('hobbies', 1, 'Nobody');

-- What cannot be answered.
select * from segment_examples('unpublished', 1);
select * from segment_examples('interests', 9);
select * from segment_examples('interests', 1, k => -1);
select * from explain_segment('interests', 'zoe');
select * from assign_segment('interests', 'nobody');
select * from assign_segment('interests', '[0,0,0]'::vector);
call describe_run(99);

-- For BI tools, segments of fewer than three users are hidden.
select count(*) from audience_bi.segment_members;
update segmentations set suppress_below = 3;
select segment_id, name, users from audience_bi.segments;
select distinct segment_id from audience_bi.segment_members;
select distinct segment_id from audience_bi.segment_entries;
select distinct segment_id from audience_bi.segment_attributes;
select segmentation, run_id, segment_id, segment, users, share from audience_bi.segment_history;

-- Users and runs that are deleted take along who was in which segment.
insert into segment_changes (segmentation, run_id, user_id, to_segment_id) values ('interests', 1, 'ann', 1);
delete from users where user_id = 'ann';
select count(*) as changes from segment_changes;
select count(*) as assignments from segment_assignments;
delete from segmentations where segmentation = 'interests';
select count(*) as assignments from segment_assignments;
