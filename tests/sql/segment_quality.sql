-- Two who ski, one who likes horror, two with everyday lives.
insert into segmentations (segmentation) values ('interests'), ('drafts');
insert into segmentation_runs (segmentation, method, k, parameters, warm_start, users, iterations, inertia)
values ('interests', 'kmeans', 3, '{}', false, 5, 1, 0);
insert into segment_assignments (run_id, user_key, segment_id, similarity)
select 1, u.user_key, s.segment_id, 1
from (values ('ann', 1), ('eve', 1), ('cy', 2), ('bob', 3), ('dan', 3)) s (user_id, segment_id)
join users u using (user_id);
insert into run_segments (run_id, segment_id, name, users, share, cohesion, centroid)
select 1, a.segment_id, s.name, count(*), count(*) / 5.0, 1, avg(v.embedding)
from segment_assignments a
join user_vectors v using (user_key)
join (values (1, 'Ski'), (2, 'Horror'), (3, 'Coffee')) s (segment_id, name) using (segment_id)
group by a.segment_id, s.name;
update segmentations set published_run_id = 1 where segmentation = 'interests';
insert into segment_names (segmentation, segment_id, name) values ('interests', 3, 'Everyday life');

-- The first row is of all of them.
select segment_id, segment, users, round(inertia::numeric, 3) as inertia, round(cohesion::numeric, 3) as cohesion,
    round(silhouette::numeric, 3) as silhouette, round(simplified_silhouette::numeric, 3) as simplified_silhouette,
    round(davies_bouldin::numeric, 3) as davies_bouldin, round(calinski_harabasz::numeric, 3) as calinski_harabasz
from segment_quality('interests');

-- Eve likes horror as much as skiing: she is between the two.
select user_id, segment_id, round(silhouette::numeric, 3) as silhouette,
    round(simplified_silhouette::numeric, 3) as simplified_silhouette
from member_silhouettes('interests');

-- Out of the sample there is the simplified silhouette alone.
select count(silhouette) as exact, count(simplified_silhouette) as simplified
from member_silhouettes('interests', sample_size => 3);

-- Do segments tell where people live?
select round(adjusted_rand_index::numeric, 3) as adjusted_rand_index,
    round(normalized_mutual_information::numeric, 3) as normalized_mutual_information,
    round(homogeneity::numeric, 3) as homogeneity, users
from label_agreement('interests', attribute => 'country');
select users from label_agreement('interests', attribute => 'gender');

-- How many segments should there be? Five users have room for four.
select k, round(inertia::numeric, 3) as inertia, round(silhouette::numeric, 3) as silhouette,
    round(davies_bouldin::numeric, 3) as davies_bouldin, round(silhouette_sd::numeric, 3) as silhouette_sd
from compare_k(repeats => 2);
select * from compare_k(k_min => 5);
select * from compare_k(k_min => 5, k_max => 3);

-- Do the vectors separate what is known of the entries?
update entries set attributes = jsonb_build_object('kind', case when entry ~ 'S[kn]' then 'snow' else 'other' end)
where entry <> 'Coffee Bar';
select value, entries, round(silhouette::numeric, 3) as silhouette from entry_label_silhouette('kind');
select * from entry_label_silhouette('price');

-- Who is far from everybody?
select rank, user_id, round(score::numeric, 3) as score, round(similarity::numeric, 3) as similarity
from find_outliers(fraction => 0.4);
select * from find_outliers(fraction => 40);

-- What is not there, and what is not ready.
select * from segment_quality('tastes');
select * from member_silhouettes('drafts');
select * from run_quality(7);
