-- The spaces over the people of this one: those of the same owner whose vectors refer to its entries. The catalog is
-- asked, so that a space that was dropped, restored or made by somebody else is never wrongly in a list.
create view derived_spaces as
select n.nspname::text as space
from pg_constraint f
join pg_class c on c.oid = f.conrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class e on e.oid = f.confrelid
where f.contype = 'f'
    and f.confrelid = 'entries'::regclass
    and c.relname = 'entry_vectors'
    and c.relnamespace <> e.relnamespace
    and c.relowner = e.relowner;

comment on view derived_spaces is
'The spaces that share the users, entries and activity of this one and have vectors of their own: see migrate --of.
Example: select count(*) as spaces from derived_spaces;';
comment on column derived_spaces.space is 'The schema.';
