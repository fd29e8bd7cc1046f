-- Stops a search for a vector that points nowhere, or is of another space.
create function check_query(
    query vector
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _dimensions constant bigint := (select s.dimensions from space s);
begin
    if check_query.query is null or vector_norm(check_query.query) = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the query vector has no direction: it is null or all zeros',
            hint = 'For example: embed(''ski enthusiasts'')';
    end if;

    if vector_dims(check_query.query) <> _dimensions then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'the query vector has %s dimensions, this space has %s',
                vector_dims(check_query.query),
                _dimensions
            ),
            hint = 'Make it with the functions of this space: embed(''ski enthusiasts'')';
    end if;
end
$$;

comment on function check_query(vector) is
'Internal. Raises 22023 unless the query vector has a direction and the dimensions of the space.
Example: select check_query(embed(''ski enthusiasts''));';
