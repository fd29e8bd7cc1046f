-- In a distributed space every vector of a user is made of entries.
create or replace function check_made_of_entries(
    of_user text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
end
$$;
