-- The profile of everyone who has an embedded entry; zoe has none, and cy's is covered to 80 %.
select user_id, entries, frequency, round(coverage::numeric, 3) as coverage, round(vector_norm(embedding)::numeric, 6) as length
from user_vectors
order by user_id;
select atttypid::regtype, format_type(atttypid, atttypmod) as type
from pg_attribute
where attrelid = 'user_vectors'::regclass and attname = 'embedding';
select entry, users, frequency from entry_stats join entries using (entry_key) order by users desc, entry;

-- Changing the weighting is one update and one call.
select user_id, round(coalesce((embedding <=> '[1,0,0]'), 0)::numeric, 3) from user_vectors where user_id = 'bob';
update space set weighting = 'binary';
select stale from status;
call refresh();
select stale from status;
select user_id, embedding from user_vectors where user_id = 'bob';
\set VERBOSITY terse
update space set weighting = 'magic';
\set VERBOSITY default

-- A new vector brings zoe in.
insert into entry_vectors select entry_key, '[0, 0.6, 0.8]' from entries where entry = 'Not Embedded Yet';
select stale from status;
refresh materialized view concurrently user_vectors;
select user_id, embedding, coverage from user_vectors where user_id = 'zoe';
call refresh();

-- A user who is deleted takes the activity along.
delete from users where user_id = 'zoe';
call refresh();
select entries, entries_embedded, entries_pending, entries_failed, users, users_with_vector, coverage, stale from status;
select count(*) from activity where user_key not in (select user_key from users);
