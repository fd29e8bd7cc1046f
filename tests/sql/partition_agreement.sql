-- The same parts by other names; the same things all in one part; each thing in a part of its own.
select * from partition_agreement('{1,1,2,2}', '{7,7,5,5}');
select * from partition_agreement('{1,1,1}', '{2,2,2}');
select * from partition_agreement('{1,2,3}', '{3,1,2}');
-- One part says nothing of two, and two cut one up for nothing.
select * from partition_agreement('{1,1,1,1}', '{1,1,2,2}');
select * from partition_agreement('{1,1,2,2}', '{1,1,1,1}');
-- Worse than chance; and as scikit-learn has it: 0.571, 0.8, 1 for a finer b, and 0.242, 0.516, 0.667 for a mixed one.
select adjusted_rand_index from partition_agreement('{1,1,2,2}', '{1,2,1,2}');
select round(adjusted_rand_index::numeric, 3) as adjusted_rand_index,
    round(normalized_mutual_information::numeric, 3) as normalized_mutual_information,
    round(homogeneity::numeric, 3) as homogeneity
from partition_agreement('{1,1,2,2}', '{1,1,2,3}');
select round(adjusted_rand_index::numeric, 3) as adjusted_rand_index,
    round(normalized_mutual_information::numeric, 3) as normalized_mutual_information,
    round(homogeneity::numeric, 3) as homogeneity
from partition_agreement('{1,1,1,2,2,2}', '{1,1,2,2,3,3}');
-- The same from a table of counts; what has no part, or no things, is left out.
select round(adjusted_rand_index::numeric, 3) as adjusted_rand_index,
    round(normalized_mutual_information::numeric, 3) as normalized_mutual_information,
    round(homogeneity::numeric, 3) as homogeneity
from partition_agreement('{1,1,2,2,null,1,2}', '{1,2,2,3,1,null,1}', '{2,1,1,2,9,9,0}');
select * from partition_agreement('{null,1}', '{1,null}');
