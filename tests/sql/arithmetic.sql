-- What larger results are made of, by itself. Nothing here is for an analyst; a figure that changes is a question, though.
select * from search_constants();

-- Weights of frequencies, and of time.
select f as frequency, round(entry_weight(f, 'log')::numeric, 4) as log, entry_weight(f, 'frequency') as frequency,
    round(entry_weight(f, 'sqrt')::numeric, 4) as sqrt, entry_weight(f, 'binary') as binary
from unnest(array[0.5, 1, 3, 30]) f;
select days, recency('2026-06-30'::timestamptz - make_interval(days => days), '90 days', '2026-06-30') as recency
from unnest(array[0, 45, 90, 180, -90]) days;

-- A layer: each unit of the first sees the sum at unit length, plus its bias, and nothing below 0; the second adds to the sum.
insert into token_layers (layer, unit, weights, bias) values
    (1, 1, '[1,0,0]', -0.25), (1, 2, '[0,0,1]', 0.5), (1, 3, '[-1,0,0]', 0.25),
    (2, 1, '[0.5,0,1]', 0.125), (2, 2, '[0,0.25,0]', 0), (2, 3, '[0,0,0]', -0.25);
select correct_sum('[3,0,4]'), correct_sum('[0,0,1]'), correct_sum('[-2,0,0]');
delete from token_layers;

-- k-means of six points on a circle, at so many degrees, from two of them: until nothing moves, until little moves, one
-- round, none.
create temp table points as
select n, l2_normalize(array[cosd(degrees), sind(degrees), 0]::vector) as point
from unnest(array[0, 10, 20, 30, 80, 90]) with ordinality p (degrees, n);
select t.tolerance, t.rounds, f.iterations, f.sizes, round(f.inertia::numeric, 4) as inertia
from (values (0, 50), (1e-4, 50), (0.4, 50), (1e9, 50), (0, 2), (0, 1), (0, 0)) t (tolerance, rounds)
cross join fit_points(
    array(select point from points where n <= 2 order by n),
    points => array(select point from points order by n),
    tolerance => t.tolerance,
    max_iterations => t.rounds
) f;
-- A centroid that nobody is near moves to the point farthest from its own.
select f.sizes, round(f.inertia::numeric, 4) as inertia
from fit_points(array['[1,0,0]', '[0,0,-1]']::vector[], points => array(select point from points order by n)) f;

-- Bends of curves: ties go to the first.
select c, elbow(c) from (values ('{10, 6, 3, 2.5, 2}'::float8[]), ('{4, 3, 2, 1}'), ('{9, 2, 2, 2, 1}'), ('{5}'), ('{5, 1}')) t (c);
select half_squares(array['[1,1,0]', '[0,2,0]', '[0,0,0]']::vector[]);
select round(random_fraction(0, 1)::numeric, 4) as a, round(random_fraction(0, 2)::numeric, 4) as b,
    round(random_fraction(7, 1)::numeric, 4) as c;

-- Trees: two pairs and a loner; sizes count.
select node_id, parent_id, round(height::numeric, 4) as height, users, centroid
from merge_clusters(array['[1,0,0]', '[0.9,0,0]', '[0,1,0]', '[0,0.8,0]', '[0,0,1]']::vector[], array[3, 2, 1, 5, 4]);
select node_id, parent_id, round(height::numeric, 4) as height, users
from merge_clusters(array['[1,0,0]', '[0.8,0.6,0]', '[0,1,0]', '[0,0,1]']::vector[], array[1, 2, 1, 1], 'average');
select n as clusters, cut_tree('{6, 6, 7, 7, 8, 9, 8, 9, null}', n) from generate_series(1, 5) n;

-- Judging: two clusters and a loner; two partitions against each other.
select round(silhouette::numeric, 4) as silhouette, round(simplified_silhouette::numeric, 4) as simplified,
    round(davies_bouldin::numeric, 4) as davies_bouldin, round(calinski_harabasz::numeric, 4) as calinski_harabasz
from judge_clusters(
    array['[0,1,0]', '[0,2,0]', '[0,4,0]', '[9,9,0]', '[9,8,0]', '[0,0,20]']::vector[], array[1, 1, 1, 2, 2, 3]
);
select round(p.adjusted_rand_index::numeric, 4) as adjusted_rand_index
from (values ('{1,1,2,2}'::bigint[], '{1,1,2,3}'::bigint[]), ('{1,1,2,2}', '{2,2,1,1}'), ('{1,2,1,2}', '{1,1,2,2}'),
    ('{1,1,1,1}', '{1,2,3,4}')) t (a, b)
cross join partition_agreement(t.a, t.b) p;

-- Phrases: one within another says the same.
select pick_phrases(array['jumbo bag', 'jumbo', 'red jumbo bag', 'lunch bag', 'bag', 'party'], n) from generate_series(0, 4) n;
