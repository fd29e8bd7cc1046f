-- Who skis? bob's coffee drowns his skiing in the mean.
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('ski');
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('ski', mode => 'mean');

-- The same with white space and a k.
select rank, user_id, round(score::numeric, 3) as score from search_users('  ski ', k => 2);

-- Only people from Spain; only people of 31; nobody at all.
select rank, user_id, round(score::numeric, 3) as score from search_users('ski', filter => '{"country": "Spain"}');
select rank, user_id, round(score::numeric, 3) as score from search_users('ski', filter => '{"age": 31}');
select rank, user_id from search_users('ski', filter => '{"country": "Norway"}');

-- The text of an entry is a query too.
select rank, user_id, round(score::numeric, 3) as score from search_users('Coffee Bar', k => 2);

-- Vector arithmetic: skiing without horror.
select rank, user_id, round(score::numeric, 3) as score from search_users(embed('ski') - embed('horror'));
select rank, user_id, round(score::numeric, 3) as score
from search_users(embed('ski') + scale(embed('everyday'), 0.5), k => 2);

-- The literal form.
select user_id, round((1 - (embedding <=> (select embed('ski'))))::numeric, 3) as score
from user_vectors
order by embedding <=> (select embed('ski')), user_id
limit 2;

-- What goes wrong says what to do.
select * from search_users('heavy metal');
select * from search_users('[1,0,0]');
select * from search_users(' ');
select * from search_users(null::text);
select * from search_users('ski', mode => 'magic');
select * from search_users('ski', k => -1);
select * from search_users('ski', filter => '[]');
select * from search_users(embed('ski') - embed('ski'));
select * from search_users(null::vector);
select * from search_users('[1,0]'::vector);

-- Text from users stays text.
select * from search_users($$'; drop table users; --$$);
select count(*) from users;
