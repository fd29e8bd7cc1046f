-- Internal. The entry vectors of a blend: those of its parts beside each other, each times the root of its weight.
--
-- An entry that a part has no vector of has zeros there.
create function blended_vectors()
returns table (
    entry_key bigint,
    embedding vector
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _part text;
    _weight double precision;
    _number bigint;
    _dimensions integer;
    _columns text[];
    _joins text := '';
    _any text[];
begin
    for _part, _weight, _number in
        select p.part, p.weight, p.number
        from space s
        cross join unnest(s.parts, s.part_weights) with ordinality p (part, weight, number)
        order by p.number
    loop
        execute format('select s.dimensions from %I.space s', _part) into _dimensions;
        _columns := _columns || format(
            'coalesce(scale(p%1$s.embedding, %2$L::double precision), array_fill(0::real, array[%3$s])::vector)',
            _number,
            sqrt(_weight),
            _dimensions
        );
        _joins := _joins || format(
            ' left join %1$I.entry_vectors p%2$s on p%2$s.entry_key = e.entry_key', _part, _number
        );
        _any := _any || format('p%s.entry_key is not null', _number);
    end loop;

    return query execute format(
        'select e.entry_key, l2_normalize(%s) from entries e %s where %s',
        array_to_string(_columns, ' || '),
        _joins,
        array_to_string(_any, ' or ')
    );
end
$$;

comment on function blended_vectors() is
'Internal. The vectors of entries in a blend, made of those of its parts.
Example: select count(*) from entries where (select parts from space) is null or exists (select from blended_vectors());';
