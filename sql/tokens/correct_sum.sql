-- The vector of a text from the sum of its token vectors: the sum at unit length, and what two layers add to it.
create function correct_sum(
    total vector
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _sum constant vector := l2_normalize(correct_sum.total);
    _half constant halfvec := _sum::halfvec;
    _hidden halfvec;
    _added vector;
begin
    select array_agg(greatest(u.bias - (u.weights <#> _half), 0) order by u.unit)::halfvec into _hidden
    from token_layers u
    where u.layer = 1;

    if _hidden is null then
        return _sum;
    end if;

    select array_agg(u.bias - (u.weights <#> _hidden) order by u.unit)::vector into _added
    from token_layers u
    where u.layer = 2;

    return l2_normalize(_sum + _added);
end
$$;

comment on function correct_sum(vector) is
'Internal. The vector of a text, of unit length, from the sum of its token vectors: the layers of the token table add
what a sum lacks.
Example: select correct_sum(sum(t.embedding::vector))
from unnest(tokenize(''ski enthusiasts'')) q (token) join tokens t using (token);';
