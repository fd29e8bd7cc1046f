-- The attributes of the users in the segments of a run, a row each: numbers as numbers, all else as text.
--
-- An attribute is a number if every value of it is stored as one; a text that looks like one is a code, such as a zip.
-- A text that differs for nearly everybody, such as an e-mail address, tells nothing and is left out.
create function run_attribute_values(
    run_id bigint
)
returns table (
    segment_id bigint,
    attribute text,
    value text,
    number double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _nearly constant double precision := 0.9;
begin
    return query
    with cells as materialized (
        select m.segment_id, a.attribute, a.value, jsonb_typeof(j.cell) = 'number' as is_number
        from segment_assignments m
        join users u using (user_key)
        cross join lateral jsonb_each(u.attributes) j (attribute, cell)
        cross join lateral (select j.attribute, btrim(j.cell #>> '{}') as value) a
        where m.run_id = run_attribute_values.run_id
            and jsonb_typeof(j.cell) in ('string', 'number', 'boolean')
            and a.value <> ''
    ),
    kinds as materialized (
        select d.attribute, bool_and(d.is_number) as is_number
        from (
            select
                c.attribute,
                count(*) as users,
                c.is_number and pg_input_is_valid(c.value, 'double precision') as is_number
            from cells c
            group by c.attribute, c.value, c.is_number
        ) d
        group by d.attribute
        having bool_and(d.is_number) or count(*) < _nearly * sum(d.users)
    )
    select
        c.segment_id,
        c.attribute,
        case when not k.is_number then c.value end,
        case when k.is_number then c.value::double precision end
    from cells c
    join kinds k using (attribute);
end
$$;

comment on function run_attribute_values(bigint) is
'Internal. The attributes of the users in the segments of a run, a row for each user and attribute: a number where all
values of the attribute are numbers, else a value; texts that differ for nine users in ten are left out.
Example: select attribute, avg(number) from run_attribute_values(1) group by attribute;';
