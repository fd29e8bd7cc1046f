-- Whether what a refresh computes is as the space is now. Attributes are no part of that: changes has them for
-- users_wide alone. They are counted, since Citus takes no 'exists' without a column in a view.
create view freshness as
select
    s.refreshed_at,
    s.refreshed_at is null or (select count(*) > 0 from changes c where c.relation <> 'attributes') as stale
from space s;

comment on view freshness is
'Internal. Whether refresh() would change anything.
Example: select stale from freshness;';
comment on column freshness.refreshed_at is 'When refresh() last ran; null before the first time.';
comment on column freshness.stale is 'Whether activity, vectors or policies have changed since then.';
