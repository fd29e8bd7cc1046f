-- What a basket is about: ann skis once and has coffee after it; zoe's entry has no vector, so her session has none.
insert into sessions (user_key, session_id, entry_keys)
select u.user_key, s.session_id, array_agg(e.entry_key order by e.entry_key)
from (
    values
        ('ann', '1', 'Ski Aspen'), ('ann', '1', 'Ski Whistler'),
        ('ann', '2', 'Ski Aspen'), ('ann', '2', 'Coffee Bar'), ('ann', '2', 'Not Embedded Yet'),
        ('cy', '1', 'Horror Nights'),
        ('zoe', '1', 'Not Embedded Yet')
) s (user_id, session_id, entry)
join users u using (user_id)
join entries e using (entry)
group by u.user_key, s.session_id;

select user_id, session_id, entries from session_vectors order by user_id, session_id;

select s.user_id, s.session_id, e.entry, round(e.similarity::numeric, 3) as similarity
from session_vectors s
cross join lateral search_entries(s.embedding, k => 2) e
where (s.user_id, s.session_id) = ('ann', '2');

select user_id, session_id, round((1 - (embedding <=> embed('ski')))::numeric, 3) as similarity
from session_vectors
order by similarity desc;

insert into sessions select user_key, '3', '{}' from users where user_id = 'ann';
insert into sessions select user_key, '2', '{1}' from users where user_id = 'ann';

delete from users where user_id = 'ann';
delete from entries where entry = 'Horror Nights';
select user_id, session_id, entries from session_vectors;
select s.user_key, s.session_id, cardinality(s.entry_keys) as entries from sessions s order by s.user_key;
