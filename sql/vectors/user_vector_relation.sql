-- The relation that holds the vectors of users, centred or not; a question about nobody ends here.
create function user_vector_relation(
    centered boolean
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    if user_vector_relation.centered is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'centered is true or false';
    end if;
    if not exists (select from user_vectors) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no user has a vector yet',
            hint = 'Load and embed some activity, then: call refresh();';
    end if;
    if not user_vector_relation.centered then
        return 'user_vectors';
    end if;
    if not exists (select from centered_user_vectors) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no user differs from the average user',
            detail = 'There is one user, or all have the same vector.',
            hint = 'Compare them as they are: centered => false';
    end if;

    return 'centered_user_vectors';
end
$$;

comment on function user_vector_relation(boolean) is
'Internal. The name of the relation with the vectors of users, seen from the average user (centered) or as they are;
raises 55000 where it is empty.
Example: select user_vector_relation(centered => true);';
