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

-- As they are, not as seen from the average user.
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['ann', 'eve'], centered => false);
-- ann counts three times as much as eve.
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['ann', 'eve'], weights => array[3, 1]);
-- Like eve, who skis and likes horror, but away from cy, who only likes horror; cy is left out.
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['eve']);
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['eve'], unlike => array['cy']);
-- Of those in Spain; half of them.
select rank, user_id from lookalikes(array['ann'], filter => '{"country": "Spain"}');
select rank, user_id from lookalikes(array['ann'], fraction => 0.5, filter => '{"country": "Spain"}');

select * from lookalikes(array['ann', 'eve'], weights => array[1]);
select * from lookalikes(array['ann', 'eve'], weights => array[1, -1]);
select * from lookalikes(array['ann', 'eve'], weights => array[0, 0]);
select * from lookalikes(array['ann'], unlike => array['ann', 'bob']);
select * from lookalikes(array['ann'], unlike => array['zoe']);
select * from lookalikes(array['ann'], filter => '[]');

-- Half of those with two entries or more, not of those with one as well.
insert into users (user_id) select 'once ' || n from generate_series(1, 3) n;
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, 1 from users u cross join entries e where u.user_id like 'once %' and e.entry = 'Snow Park';
call refresh();
select rank, user_id from lookalikes(array['ann'], fraction => 0.5, min_entries => 2);
select rank, user_id from lookalikes(array['ann'], fraction => 0.5);

-- The share of the group among the nearest of each: of the eight users with a vector, three count.
select rank, user_id, round(similarity::numeric, 3) as similarity from lookalikes(array['ann', 'eve'], by => 'nearest');
-- With weights, a vote counts as part of the largest; those unlike vote against.
select rank, user_id, round(similarity::numeric, 3) as similarity
from lookalikes(array['ann', 'eve'], weights => array[1, 3], k => 3, by => 'nearest');
select rank, user_id, round(similarity::numeric, 3) as similarity
from lookalikes(array['ann', 'eve'], unlike => array['dan'], k => 3, by => 'nearest');
select rank, user_id from lookalikes(array['ann'], filter => '{"country": "Spain"}', by => 'nearest');
select rank, user_id from lookalikes(array['ann'], fraction => 0.5, min_entries => 2, by => 'nearest');
select * from lookalikes(array['ann'], by => 'votes');
select * from lookalikes(array['ann', 'eve'], weights => array[1], by => 'nearest');
select * from lookalikes(array['ann', 'bob'], unlike => array['ann'], by => 'nearest');
