-- The quantile of the normal distribution: how many standard deviations hold so much of it below.
--
-- Newton's method on erf(), which PostgreSQL has. From the middle outwards the curve bends away from its tangents, so
-- each step comes closer and none goes too far.
create function normal_quantile(
    p double precision
)
returns double precision
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _x double precision := 0;
begin
    for _step in 1 .. 50 loop
        _x := _x - (0.5 * (1 + erf(_x / sqrt(2))) - normal_quantile.p) / (exp(-(_x ^ 2) / 2) / sqrt(2 * pi()));
    end loop;
    return _x;
end
$$;

comment on function normal_quantile(double precision) is
'Internal. How many standard deviations above the mean of a normal distribution hold the share p of it below.
Example: select normal_quantile(0.975);';
