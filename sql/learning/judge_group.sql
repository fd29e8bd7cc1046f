-- How well half of a group finds the other half.
create function judge_group(
    user_keys bigint[],
    group_filter jsonb,
    seed bigint default 0
)
returns double precision
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _fraction constant double precision := 0.1;
    _others constant bigint := (select count(*) from user_vectors);
    _members text[];
    _seeds text[];
    _lift double precision;
begin
    select array_agg(u.user_id order by hashint8extended(u.user_key, judge_group.seed), u.user_key) into _members
    from users u
    where u.user_key = any (judge_group.user_keys) and u.attributes @> stored_filter(judge_group.group_filter);

    if coalesce(cardinality(_members), 0) < 4 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                '%s users with a vector in each space have the attributes %s; a group to find again has four or more',
                coalesce(cardinality(_members), 0),
                judge_group.group_filter
            ),
            hint = 'See what is known: select attributes, count(*) from users group by attributes;';
    end if;

    _seeds := _members[:cardinality(_members) / 2];

    select count(*) filter (where l.user_id = any (_members)) / count(*)::double precision
        / ((cardinality(_members) - cardinality(_seeds)) / (_others - cardinality(_seeds))::double precision)
    into _lift
    from lookalikes(_seeds, fraction => _fraction, by => 'nearest') l;

    return _lift;
end
$$;

comment on function judge_group(bigint[], jsonb, bigint) is
'Internal. How many times oftener than by chance the second half of a group, those of the users whose attributes contain
the filter, is in the best tenth of lookalikes, by the nearest, of the first.
Example: select judge_group(array(select user_key from user_vectors), ''{}'');';
