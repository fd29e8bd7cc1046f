-- Rows come in by INSERT: ann is known, gus and 'Ice Rink' are new. A frequency that is left out is 1.
insert into activity_input (user_id, entry, frequency, occurred_at) values
    ('ann', 'Ski Aspen', 2, '2026-01-10 09:00Z'),
    ('gus', 'Ski Aspen', 3, null),
    ('gus', '  Ice   Rink ', 1, '2026-01-12 18:00Z'),
    ('gus', 'Ice Rink', 4, '2026-01-11 18:00Z');
insert into activity_input (user_id, entry) values ('gus', 'Coffee Bar') returning *;

-- They have been added up, texts in their normal form, and the relation is empty again.
select user_id, entry, frequency, first_at at time zone 'UTC' as first_at, last_at at time zone 'UTC' as last_at
from activity join users using (user_key) join entries using (entry_key)
where user_id in ('ann', 'gus')
order by user_id, entry;
select count(*) from activity_input;

-- The same from a table of events, and from a file.
create temporary table visits (visitor text, place text, seen timestamptz);
insert into visits values ('gus', 'Snow Park', '2026-02-01 08:00Z'), ('gus', 'Snow Park', null), ('hal', 'Snow Park', null);
insert into activity_input (user_id, entry, occurred_at)
select visitor, place, seen from visits;
copy activity_input (user_id, entry) from stdin;
hal	Haunted House
hal	Haunted House
\.
select user_id, entry, frequency
from activity join users using (user_key) join entries using (entry_key)
where entry in ('Snow Park', 'Haunted House')
order by user_id, entry;

-- The worker, or pgaudience embed, gives new entries their vectors; refresh() brings the users up to date.
select entries_pending, stale from status;
insert into entry_vectors select entry_key, '[0.8, 0, 0.6]' from entries where entry = 'Ice Rink';
call refresh();
select user_id, entries, frequency, coverage from user_vectors where user_id in ('gus', 'hal') order by user_id;

-- A row that cannot be used is named, and nothing of its statement stays.
insert into activity_input values ('ivy', 'Ski Aspen', 1), ('ivy', ' ', 1);
insert into activity_input values (' ', 'Ski Aspen');
insert into activity_input values ('ivy', null);
insert into activity_input values ('ivy', 'Ski Aspen', 0);
insert into activity_input values ('ivy', 'Ski Aspen', 'NaN');
insert into activity_input values ('ivy', 'Ski Aspen', 1, 'infinity');
\set SHOW_CONTEXT errors
copy activity_input (user_id, entry, frequency) from stdin (format csv);
ivy,Ski Aspen,1
ivy,Ski Aspen,-1
\.
\set SHOW_CONTEXT never
select count(*) from users where user_id = 'ivy';

-- There is nothing in it to change or to remove.
update activity_input set frequency = 2;
delete from activity_input;
truncate activity_input;
insert into activity_input select * from activity_input;
select stale from status;
