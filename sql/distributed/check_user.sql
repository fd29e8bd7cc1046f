-- Stops a question about a user who has no vector, and says why that is.
create or replace function check_user(
    of_user text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _user_key bigint;
    _embedded bigint;
begin
    select u.user_key into _user_key
    from users u
    where u.user_id = check_user.of_user;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', check_user.of_user);
    end if;

    perform from user_vectors v where v.user_key = _user_key;
    if found then
        return;
    end if;

    select count(*) into _embedded
    from activity a
    join reference_vectors v on v.entry_key = a.entry_key
    where a.user_key = _user_key;

    raise exception using
        errcode = 'object_not_in_prerequisite_state',
        message = case
            when _embedded = 0 then format('no entry of user %L has a vector yet', check_user.of_user)
            else format('user %L has no vector', check_user.of_user)
        end,
        hint = case
            when _embedded = 0 then 'Run, in a shell: pgaudience embed; then: call refresh();'
            else 'Users get a vector at the next refresh, unless the vectors of their entries cancel out: call refresh();'
        end;
end
$$;
