-- Stops a question about users who have no vector; those who have one are asked for first, where they are.
create or replace function check_users(
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
    _known text[];
    _missing text[];
begin
    if cardinality(check_users.user_ids) is null or cardinality(check_users.user_ids) = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'user_ids names no user',
            hint = 'For example: user_ids => array[''user_ski_only'', ''user_luxury'']';
    end if;

    select array_agg(v.user_id) into _known
    from user_vectors v
    where v.user_id = any (check_users.user_ids);

    select array_agg(distinct s.user_id order by s.user_id) into _missing
    from unnest(check_users.user_ids) s (user_id)
    where s.user_id = any (_known) is not true;

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
