-- Stops a question about a group that is none.
create function check_group(
    user_ids text[],
    weights double precision[] default null,
    unlike text[] default null
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    perform check_users(check_group.user_ids);

    if check_group.weights is not null and (
        cardinality(check_group.weights) <> cardinality(check_group.user_ids)
        or exists (
            select
            from unnest(check_group.weights) w
            where w is null or w not between 0 and 1e6
        )
        or 0 = all (check_group.weights)
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('weights are %s numbers, 0 to 1,000,000, not all 0', cardinality(check_group.user_ids)),
            detail = 'One for each of user_ids, in their order.';
    end if;

    if cardinality(check_group.unlike) > 0 then
        if check_group.user_ids && check_group.unlike then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = 'the same user is in user_ids and in unlike';
        end if;

        perform check_users(check_group.unlike);
    end if;
end
$$;

comment on function check_group(text[], double precision[], text[]) is
'Internal. Raises 22023 where weights do not go with the users of a group, or one of them is among those it is to be
unlike; P0002 where a user has no vector.
Example: select check_group(array[''user_ski_only''], unlike => array[''user_luxury'']);';
