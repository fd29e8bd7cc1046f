-- Stops a question about users who have no vector.
create function check_users(
    user_ids text[]
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _shown constant bigint := 5;
    _missing text[];
begin
    if cardinality(check_users.user_ids) is null or cardinality(check_users.user_ids) = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'user_ids names no user',
            hint = 'For example: user_ids => array[''user_ski_only'', ''user_luxury'']';
    end if;

    select array_agg(s.user_id order by s.user_id) into _missing
    from (select distinct unnest(check_users.user_ids) as user_id) s
    where not exists (select from user_vectors v where v.user_id = s.user_id);

    if cardinality(_missing) = 1 then
        perform check_user(_missing[1]);
    elsif _missing is not null then
        raise exception using
            errcode = 'no_data_found',
            message = format('users without a vector: %s', array_to_string(_missing[:_shown], ', ', 'null')),
            detail = format('%s of the users given.', cardinality(_missing)),
            hint = format('Leave them out; why the first has none says: select check_user(%L);', _missing[1]);
    end if;
end
$$;

comment on function check_users(text[]) is
'Internal. Raises P0002 with the ids of users who have no vector, of one alone the reason (check_user), 22023 when
there is no id.
Example: select check_users(array[''user_ski_only'', ''user_luxury'']);';
