-- Notes who says what a source is: nobody can say it in the name of somebody else.
create function keep_adder()
returns trigger
language plpgsql
set search_path from current
as $$
begin
    new.added_by := current_user;
    return new;
end
$$;

comment on function keep_adder() is
'Internal. Trigger function: notes the role that makes a source, or makes it another one.';

create trigger keep_adder
before insert or update of relation, user_column, entry_column, entry_key_column, frequency_column, time_column,
    cursor_column, overlap, attributes, added_by
on sources
for each row execute function keep_adder();
