-- What BI tools see: no vectors.
select user_id, attributes, entries, frequency, round(coverage::numeric, 2) as coverage
from audience_bi.users
order by user_id;
select entry, users, frequency, embedded_at is not null as embedded from audience_bi.entries order by entry;
select entries, users, stale from audience_bi.status;
select table_name, column_name
from information_schema.columns
where table_schema = 'audience_bi' and udt_name in ('vector', 'halfvec');
