-- The workers that are alive: a heartbeat of late, and a connection that still is. This is the one place that says so.
create view live_workers as
select
    w.worker_key,
    w.backend_pid,
    w.started_at,
    w.seen_at
from workers w
where w.seen_at > clock_timestamp() - interval '15 s'
    and w.backend_pid in (select a.pid from pg_stat_get_activity(null) a);

comment on view live_workers is
'Internal. The workers that are alive: seen in the last 15 seconds, on a connection that still is.
Example: select count(*) from live_workers;';
comment on column live_workers.worker_key is 'Key used inside the space.';
comment on column live_workers.backend_pid is 'The server process of its connection.';
comment on column live_workers.started_at is 'When it came to this space.';
comment on column live_workers.seen_at is 'Its heartbeat.';
