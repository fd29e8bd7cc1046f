-- The relation that holds the vectors of users. 'exists' would bring all of them here to look: each machine gives one.
create or replace function user_vector_relation(
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
    if not exists (select from user_sample) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no user has a vector yet',
            hint = 'Load and embed some activity, then: call refresh();';
    end if;
    if not user_vector_relation.centered then
        return 'user_vectors';
    end if;

    perform from centered_user_vectors limit 1;
    if not found then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no user differs from the average user',
            detail = 'There is one user, or all have the same vector.',
            hint = 'Compare them as they are: centered => false';
    end if;

    return 'centered_user_vectors';
end
$$;
