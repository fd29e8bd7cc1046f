-- As seen from the average user, ann and eve lean the same way: to the snow. bob skis too, but drinks coffee as well.
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann');
select rank, user_id from similar_users('ann', k => 1);
select rank, user_id from similar_users('ann', k => 0);
-- As they are: everybody has something in common with everybody.
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann', centered => false);
-- By the very same entries: only bob has been to one of hers, and zoe needs no vector.
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann', by => 'entries');
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('zoe', k => 2, by => 'entries');
-- By both: a third of the vector's similarity, and two thirds of the entries'.
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann', by => 'both');
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann', k => 1, by => 'both', centered => false);
-- zoe's only entry has no vector yet.
select * from similar_users('zoe');
select * from similar_users('zoe', by => 'both');
select * from similar_users('nobody');
select * from similar_users('nobody', by => 'entries');
select * from similar_users('ann', k => -1);
select * from similar_users('ann', k => null);
select * from similar_users('ann', by => 'hand');
select * from similar_users('ann', centered => null);

-- What many have in common speaks for likeness too, but less; what everybody has does not.
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, 1 from users u cross join entries e
where (u.user_id, e.entry) in (('ann', 'Snow Park'), ('cy', 'Snow Park')) or e.entry = 'Not Embedded Yet'
on conflict do nothing;
call refresh();
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('cy', by => 'entries');
