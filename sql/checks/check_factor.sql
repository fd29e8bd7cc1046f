-- Refuses a number that no vector can be multiplied by; what is too small to matter is 0.
--
-- It is called for every vector, so it sets no search_path, on which nothing in it depends.
create function check_factor(
    factor double precision
)
returns double precision
language plpgsql
immutable
parallel safe
as $$
begin
    if not abs(check_factor.factor) <= 3e38 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('a vector cannot be multiplied by %s', check_factor.factor),
            hint = 'The factor is a number, at most 3e38.';
    end if;

    return case when abs(check_factor.factor) < 1e-37 then 0 else check_factor.factor end;
end
$$;

comment on function check_factor(double precision) is
'Internal. The factor, or 0 where it is too small for the numbers of a vector; raises 22023 for one that is too large or
is none.
Example: select check_factor(0.5);';
