-- The life of a segmentation: built, named, built again with a newcomer, published, rolled back.
call build_segmentation('interests', k => 2);
select segment_id, name, keywords, users, share, round(cohesion::numeric, 3) as cohesion,
    round(silhouette::numeric, 3) as silhouette, nearest_segment_id
from segments
order by segment_id;
select segment_id, user_id, round(similarity::numeric, 3) as similarity, round(margin::numeric, 3) as margin
from segment_members
order by segment_id, user_id;
select segment_id, entry, users, lift from segment_entries where z_score > 1 order by segment_id, z_score desc, entry;

-- A name given by a person.
call rename_segment('interests', 1, 'Thrill seekers');

-- Somebody new, who is placed at once, and is in a segment after a rebuild.
insert into activity_input values ('finn', 'Horror Nights', 3), ('finn', 'Haunted House', 1);
select segment_id, segment, round(similarity::numeric, 3) as similarity from assign_segment('interests', 'finn');
call refresh();
call build_segmentation('interests');
select segment_id, name, users from segments order by segment_id;

-- A third segment comes out of one of them.
call build_segmentation('interests', k => 3);
select segment_id, name, users from segments order by segment_id;
select run_id, event, previous_segment_id, segment_id, users, round(similarity::numeric, 3) as similarity
from segment_lineage
order by run_id, segment_id;

-- A rebuild that would move too many is stored, not shown.
call build_segmentation('interests', k => 2, warm_start => false, seed => 1, max_churn => 0.1);
select run_id, k, warm_start, users, users_moved, round(churn::numeric, 3) as churn,
    round(ari_to_previous::numeric, 3) as ari, previous_run_id, published_at is not null as published
from segmentation_runs
order by run_id;
select count(*) as segments from segments;
call publish_run(4);
select count(*) as segments from segments;

-- Back to the run before; what happened, for a system that follows.
call publish_run(3);
call publish_run(3);
call publish_run(9);
select run_id, user_id, from_segment_id, to_segment_id from segment_changes order by change_id;
select run_id, segment_id, segment, users from audience_bi.segment_history order by run_id, segment_id;

-- A tree of them.
call build_segmentation('families', k => 2, method => 'agglomerative');
select node_id, parent_id, round(height::numeric, 3) as height, users, segment_id
from segment_tree
where segmentation = 'families'
order by node_id;

-- Some users only; without those who are alone; for BI tools, only segments of two or more.
call build_segmentation('french', k => 2, filter => '{"country": "France"}');
select user_id, segment_id from segment_members where segmentation = 'french' order by user_id;
call build_segmentation('typical', k => 4, drop_smaller_than => 2);
select k, users, unassigned from segmentation_runs where segmentation = 'typical';
call build_segmentation('hidden', k => 4, suppress_below => 2);
select segment_id, users from segments where segmentation = 'hidden' order by segment_id;
select segment_id, users from audience_bi.segments where segmentation = 'hidden' order by segment_id;

-- What cannot be built.
call build_segmentation(' ');
call build_segmentation('interests', k => 0);
call build_segmentation('crowd', k => 7);
call build_segmentation('interests', method => 'magic');
call build_segmentation('interests', filter => '[]');
call build_segmentation('interests', filter => '{"country": "Norway"}');
call build_segmentation('crowd', k => 6, drop_smaller_than => 5);
select segmentation from segmentations order by segmentation;

-- Runs that are no longer wanted; not the one that is shown.
delete from segmentation_runs where segmentation = 'interests' and run_id in (1, 2);
select run_id, previous_run_id from segmentation_runs where segmentation = 'interests' order by run_id;
delete from segmentation_runs where run_id = 3;
