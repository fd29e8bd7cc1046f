-- People like ann and eve, the two themselves left out.
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['ann', 'eve']);
select rank, user_id from lookalikes(array['ann', 'eve'], k => 1);
-- A third of all other users, rounded up: three users are left, so one.
select rank, user_id from lookalikes(array['ann', 'eve'], fraction => 0.33);
select rank, user_id from lookalikes(array['ann'], fraction => 0.5);
select rank, user_id from lookalikes(array['ann', 'ann'], fraction => 1);
select rank, user_id from lookalikes(array['ann'], fraction => 0);

select * from lookalikes(array['ann', 'zoe', 'nobody']);
select * from lookalikes('{}');
select * from lookalikes(null);
select * from lookalikes(array['ann'], k => 3, fraction => 0.5);
select * from lookalikes(array['ann'], fraction => 25);
