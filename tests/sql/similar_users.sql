-- ann and bob both ski; dan only shops and drinks coffee.
select rank, user_id, round(similarity::numeric, 3) as similarity from similar_users('ann');
select rank, user_id from similar_users('ann', k => 1);
select rank, user_id from similar_users('ann', k => 0);
-- zoe's only entry has no vector yet.
select * from similar_users('zoe');
select * from similar_users('nobody');
select * from similar_users('ann', k => -1);
select * from similar_users('ann', k => null);
