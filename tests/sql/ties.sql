-- Twins have the very same activity and so the very same scores. Their ids decide, not who was loaded first, wherever a
-- list is cut.
insert into users (user_id) values ('twin c'), ('twin a'), ('twin b');
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, 2
from users u
cross join entries e
where u.user_id like 'twin %' and e.entry in ('Ski Aspen', 'Horror Nights');
call refresh();

select mode, k, (select array_agg(s.user_id order by s.rank) from search_users('horror', k => k, mode => mode) s)
from unnest(array['hybrid', 'evidence', 'mean']) mode
cross join generate_series(2, 5) k;
select k, (select array_agg(s.user_id order by s.rank) from similar_users('cy', k => k) s) as by_vector,
    (select array_agg(s.user_id order by s.rank) from similar_users('cy', k => k, by => 'entries') s) as by_entries,
    (select array_agg(s.user_id order by s.rank) from similar_users('cy', k => k, by => 'both') s) as by_both,
    (select array_agg(s.user_id order by s.rank) from lookalikes(array['cy'], k => k) s) as lookalikes
from generate_series(1, 4) k;

-- Entries with the same vector: whichever was loaded first.
insert into entries (entry) values ('Zombie Walk'), ('Crypt'), ('Morgue');
insert into entry_vectors (entry_key, embedding)
select e.entry_key, '[0,1,0]' from entries e where e.entry in ('Zombie Walk', 'Crypt', 'Morgue');
call refresh();
select k, (select array_agg(s.entry order by s.rank) from search_entries('horror', k => k) s)
from generate_series(1, 4) k;

-- Somebody without an entry, and somebody whose entries have not been refreshed yet.
insert into users (user_id) values ('newcomer');
select * from similar_users('newcomer');
select * from similar_users('newcomer', by => 'entries');
select * from similar_users('newcomer', by => 'both');
