-- What a role with nothing but audience_reader can ask, on a replica too: texts of every kind, and no Python process.
insert into tokens (token, embedding) values
    ('ski', '[2,0,0]'), ('lovers', '[0,0.1,0]'), ('hot', '[0,1,0]'), ('dog', '[0,0,1]'), ('##s', '[0,0,0.5]'),
    ('лыжи', '[3,0,0]'), ('雪', '[1,0,0]');
set role audience_reader;

-- It may not ask for a vector, which is a row in queries, nor touch the token table.
select request_embedding('heavy metal');
call embed_query('heavy metal');
insert into tokens (token) values ('metal');
delete from training_texts;
update space set distilled_at = null;

set default_transaction_read_only = on;
-- A stored entry, a cached query, the tokens.
select t as text, query_source(t), embed(t)
from unnest(array['Ski Aspen', 'ski', 'ski lovers', 'hot dogs', 'Лыжи!', '雪']) t;
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('ski lovers', k => 2);
select entry, round(similarity::numeric, 3) as similarity, users from search_entries('hot dogs', k => 3);
select entry, round(contribution::numeric, 3) as contribution from explain_match('bob', 'hot dogs');
select user_id
from user_vectors
order by embedding <=> (select embed('ski lovers') - embed('hot dogs')), user_id
limit 2;

-- Long texts, quotes, SQL and placeholders are only words.
select embed(repeat('ski lovers ', 910)) = embed('ski lovers') as same_for_10_000_characters;
select t as text, query_source(t), embed(t)
from unnest(array['the dog''s "ski"', 'ski''; drop table tokens; --', '%s $1 {ski} \ski', '[1, ski]']) t;
select query_source(repeat('x', 10000)), query_source(''), query_source(null), query_source('[1, 0, 0]');

-- What has no answer says why, and what to do.
select embed('heavy metal');
select embed(repeat('x', 150));
select embed('☃ 🎿 …');
select embed('rock ''n'' roll');
select embed('   ');
select embed(null);
select embed('[1, 0, 0]');
select * from search_users('heavy metal');
select * from search_entries('[1, 0, 0]');
