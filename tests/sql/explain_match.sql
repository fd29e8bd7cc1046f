-- Why does bob match skiing at all? Because of Aspen, against much coffee. The last row is the same for everybody.
select entry, frequency, round(weight::numeric, 3) as weight, round(similarity::numeric, 3) as similarity,
    round(contribution::numeric, 3) as contribution, round(mean_part::numeric, 3) as mean_part,
    round(evidence_part::numeric, 3) as evidence_part
from explain_match('bob', 'ski');

-- The contributions add up to the cosine of user and query, both parts to the score, whatever the weighting.
update space set weighting = 'sqrt';
call refresh();
select
    (select round(sum(contribution)::numeric, 5) from explain_match('eve', 'horror')) as sum_of_contributions,
    (select round(score::numeric, 5) from search_users('horror', mode => 'mean') where user_id = 'eve') as cosine,
    (select round(sum(mean_part + evidence_part)::numeric, 5) from explain_match('eve', 'horror')) as sum_of_parts,
    (select round(score::numeric, 5) from search_users('horror') where user_id = 'eve') as score;

-- An entry without a vector takes no part.
select entry from explain_match('cy', embed('horror') - embed('ski'));

select * from explain_match('nobody', 'ski');
select * from explain_match('zoe', 'ski');
