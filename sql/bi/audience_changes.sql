-- Who came and who left, for BI tools.
create view audience_changes as
select c.change_id, c.audience, c.user_id, c.change, c.why, c.changed_at
from audience_changes c
where c.audience in (select a.audience from audiences a);

comment on view audience_changes is
'Who entered and left which audience, when, and why.
Example: select changed_at::date, change, count(*) from audience_bi.audience_changes group by 1, 2 order by 1, 2;';
comment on column audience_changes.change_id is 'Its number, ascending.';
comment on column audience_changes.audience is 'The audience.';
comment on column audience_changes.user_id is 'The user.';
comment on column audience_changes.change is 'entered or left.';
comment on column audience_changes.why is 'data, definition or deleted.';
comment on column audience_changes.changed_at is 'When.';
