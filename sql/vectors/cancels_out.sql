-- Whether what was added up comes to nothing, but for the rounding of float4.
create function cancels_out(
    direction vector,
    weight double precision
)
returns boolean
language sql
immutable
strict
parallel safe
begin atomic
    select vector_norm(cancels_out.direction) <= 1e-6 * cancels_out.weight;
end;

comment on function cancels_out(vector, double precision) is
'Internal. Whether a sum of vectors, each of about unit length times its weight, points nowhere, given the sum of the
weights.
Example: select cancels_out(''[0, 1e-8, 0]''::vector, 2);';
