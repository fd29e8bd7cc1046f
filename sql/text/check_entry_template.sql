-- Refuses a template that could not be filled, before every later statement stumbles over it.
create function check_entry_template()
returns trigger
language plpgsql
set search_path from current
as $$
begin
    perform template_parts(new.entry_template);
    return new;
end
$$;

comment on function check_entry_template() is
'Internal. Trigger function: refuses an entry_template that is none.';

create trigger check_entry_template
before insert or update of entry_template on space
for each row execute function check_entry_template();
