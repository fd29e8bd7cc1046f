-- How the space is doing, in one row. The text of each entry is made once: 'offset 0' keeps it from being made for
-- every count anew.
create view status as
select
    e.entries,
    e.entries_embedded,
    e.entries_pending,
    e.entries_failed,
    e.oldest_pending_at,
    u.users,
    uv.users_with_vector,
    c.coverage,
    f.refreshed_at,
    f.stale,
    q.queries_waiting,
    w.workers,
    w.worker_seen_at,
    s.distilled_at,
    e.entries_outdated
from space s
cross join freshness f
cross join (
    select
        count(*) as entries,
        count(t.is_current) as entries_embedded,
        count(*) filter (where t.is_current is null and t.refused_at is null) as entries_pending,
        count(*) filter (where t.is_current is not true and t.refused_at is not null) as entries_failed,
        min(t.created_at) filter (where t.is_current is null and t.refused_at is null) as oldest_pending_at,
        count(*) filter (where not t.is_current and t.refused_at is null) as entries_outdated
    from (select e.is_current, e.refused_at, e.created_at from entry_texts e offset 0) t
) e
cross join (select count(*) as users from users) u
cross join (select count(*) as users_with_vector from user_vectors) uv
cross join (
    select sum(es.frequency) filter (where v.entry_key is not null) / sum(es.frequency) as coverage
    from entry_stats es
    left join entry_vectors v using (entry_key)
) c
cross join (
    select count(*) as queries_waiting
    from queries q
    where q.embedding is null and q.error is null
) q
cross join (select count(*) as workers, max(l.seen_at) as worker_seen_at from live_workers l) w;

comment on view status is
'How the space is doing, in one row.
Example: select * from status;';
comment on column status.entries is 'Distinct texts.';
comment on column status.entries_embedded is 'Those that have a vector.';
comment on column status.entries_pending is 'Those that wait for one; pgaudience embed computes them.';
comment on column status.entries_failed is 'Those the model refused; entry_failures says why.';
comment on column status.oldest_pending_at is 'When the longest waiting text was first seen.';
comment on column status.users is 'Users ever loaded.';
comment on column status.users_with_vector is 'Those who have a vector as of the last refresh.';
comment on column status.coverage is
'The share of all frequency, 0 to 1, whose entries have a vector; frequencies as of the last refresh.';
comment on column status.refreshed_at is 'When refresh() last ran; null before the first time.';
comment on column status.stale is 'Whether activity, vectors or policies have changed since then.';
comment on column status.queries_waiting is 'Query texts that wait for their vector; the table queries has them.';
comment on column status.workers is 'How many workers are alive; pgaudience worker starts one.';
comment on column status.worker_seen_at is 'The last heartbeat among them; null without any.';
comment on column status.distilled_at is 'When the token table was fitted; null before the first time.';
comment on column status.entries_outdated is
'Those whose text has changed since their vector was made, which stays in use until pgaudience embed has made another.';
