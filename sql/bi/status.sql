-- How the space is doing, for BI tools.
create view status as
select * from status;

comment on view status is
'How the space is doing, in one row: what is loaded, embedded and refreshed.
Example: select stale, refreshed_at from audience_bi.status;';
comment on column status.entries is 'Distinct texts.';
comment on column status.entries_embedded is 'Those that have a vector.';
comment on column status.entries_pending is 'Those that wait for one.';
comment on column status.entries_failed is 'Those the model refused.';
comment on column status.oldest_pending_at is 'When the longest waiting text was first seen.';
comment on column status.users is 'Users ever loaded.';
comment on column status.users_with_vector is 'Those who have a vector as of the last refresh.';
comment on column status.coverage is 'The share of all frequency, 0 to 1, whose entries have a vector.';
comment on column status.refreshed_at is 'When refresh() last ran; null before the first time.';
comment on column status.stale is 'Whether something has changed since then.';
comment on column status.queries_waiting is 'Query texts that wait for their vector.';
comment on column status.workers is 'How many workers are alive.';
comment on column status.worker_seen_at is 'The last heartbeat among them.';
comment on column status.distilled_at is 'When the token table was fitted; null before the first time.';
comment on column status.entries_outdated is 'Those whose vector is of an older text, until it is made anew.';
