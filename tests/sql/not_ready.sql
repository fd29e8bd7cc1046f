-- Before anything is embedded, every question says that it is too early.
delete from entry_vectors;
call refresh();
select * from search_users('ski');
select * from search_entries('ski');
select * from similar_users('ann');
select * from lookalikes(array['ann']);
select * from explain_match('ann', 'ski');
select entries, entries_embedded, entries_pending, oldest_pending_at is not null as has_oldest, users_with_vector, coverage
from status;
