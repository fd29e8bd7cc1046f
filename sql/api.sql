-- What an analyst calls, out of some ninety functions: the comment of each of the others begins with 'Internal.'.
create view api as
select
    p.proname::text as name,
    case p.prokind when 'p' then 'procedure' else 'function' end as kind,
    regexp_replace(pg_get_function_arguments(p.oid), '\mIN ', '', 'g') as arguments,
    pg_get_function_result(p.oid) as result,
    replace(split_part(d.description, e'\nExample: ', 1), e'\n', ' ') as what,
    nullif(split_part(d.description, e'\nExample: ', 2), '') as example
from pg_proc p
join pg_class s on s.oid = 'space'::regclass and s.relnamespace = p.pronamespace
join pg_description d on d.classoid = 'pg_proc'::regclass and d.objoid = p.oid
where p.prorettype <> 'trigger'::regtype
    and d.description not like 'Internal.%'
order by name, p.oid;

comment on view api is
'The functions and procedures that are made to be called: what each does, and an example. What is not listed here may
change without notice.
Example: select name, example from api;';
comment on column api.name is 'What it is called; a name with two rows takes a text or a vector.';
comment on column api.kind is 'function (select …) or procedure (call …).';
comment on column api.arguments is 'Its arguments with their types and defaults.';
comment on column api.result is 'What it gives; null for a procedure.';
comment on column api.what is 'What it does.';
comment on column api.example is 'A call that runs in a space of the bundled example.';
