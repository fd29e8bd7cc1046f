-- Stops a question about what the entries of a user do for a vector that is not made of them.
create function check_made_of_entries(
    of_user text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    if exists (select from space s where s.model = 'attributes') or exists (
        select
        from given_user_vectors g
        join users u using (user_key)
        where u.user_id = check_made_of_entries.of_user
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the vector of user %L is not made of entries', check_made_of_entries.of_user),
            hint = format('See whom it is like: select * from similar_users(%L);', check_made_of_entries.of_user);
    end if;
end
$$;

comment on function check_made_of_entries(text) is
'Internal. Raises an error where the vector of a user is made of attributes, or elsewhere.
Example: select check_made_of_entries(''user_ski_only'');';
