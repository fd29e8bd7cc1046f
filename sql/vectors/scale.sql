-- Scalar times vector, which pgvector lacks.
create function scale(
    embedding vector,
    factor double precision
)
returns vector
language sql
immutable
strict
parallel safe
begin atomic
    select scale.embedding * array_fill(
        check_factor(scale.factor)::real,
        array[vector_dims(scale.embedding)]
    )::vector;
end;

comment on function scale(vector, double precision) is
'A vector multiplied by a number.
Example: select embed(''ski enthusiasts'') + scale(embed(''parents with children''), 0.5);';
