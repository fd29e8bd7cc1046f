-- A vector seen from an average: what is left of it, at unit length.
create function center_vector(
    embedding vector,
    average vector
)
returns vector
language sql
immutable
parallel safe
begin atomic
    select case
        when center_vector.average is null then center_vector.embedding
        else l2_normalize(center_vector.embedding - center_vector.average)
    end;
end;

comment on function center_vector(vector, vector) is
'Internal. A vector with an average subtracted, at unit length; the vector itself without an average, zero where both
are the same.
Example: select center_vector(embed(''ski enthusiasts''), embedding) from average_user;';
