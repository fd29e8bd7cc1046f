-- Stops a question about a user who has no vector, and says why that is.
create function check_user(
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
    _cancels_out boolean;
begin
    select u.user_key into _user_key
    from users u
    where u.user_id = check_user.of_user;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', check_user.of_user);
    end if;

    if exists (select from space s where s.model = 'attributes') then
        if not exists (select from user_vectors_live v where v.user_key = _user_key) then
            raise exception using
                errcode = 'object_not_in_prerequisite_state',
                message = format('nothing is known of user %L that the space has an axis for', check_user.of_user),
                hint = format('Load attributes, then run, in a shell: pgaudience --schema %I train', current_schema());
        end if;
        _cancels_out := false;
    elsif exists (select from given_user_vectors g where g.user_key = _user_key) then
        _cancels_out := false;
    else
        select cancels_out(sum(scale(v.embedding, a.weight)), sum(a.weight)) into _cancels_out
        from weighted_activity a
        join entry_vectors v using (entry_key)
        where a.user_key = _user_key;
    end if;

    if _cancels_out is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no entry of user %L has a vector yet', check_user.of_user),
            hint = case
                when text_space() is null then 'Run, in a shell: pgaudience embed'
                else 'Run, in a shell: pgaudience refresh --all'
            end;
    end if;
    if _cancels_out then
        raise exception using
            errcode = 'no_data_found',
            message = format('the entries of user %L cancel out: their vectors add up to nothing', check_user.of_user),
            hint = format(
                'Ask by the entries themselves: select * from similar_users(%L, by => ''entries'');',
                check_user.of_user
            );
    end if;
    if not exists (select from user_vectors v where v.user_key = _user_key) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('user %L has no vector yet', check_user.of_user),
            hint = 'Users get a vector at the next refresh after one of their entries is embedded: call refresh();';
    end if;
end
$$;

comment on function check_user(text) is
'Internal. Raises an error that says why a user has no vector, if so: there is no such user, no entry is embedded, the
entries cancel out, no attribute is known, or a refresh is due.
Example: select check_user(''user_ski_only'');';
