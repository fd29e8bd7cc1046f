-- A number in standard deviations from the mean, after the transform of Yeo and Johnson.
create function standard_number(
    number numeric,
    lowest double precision,
    highest double precision,
    power double precision,
    center double precision,
    scale double precision
)
returns double precision
language sql
immutable
parallel safe
begin atomic
    select (
        case
            when n.x >= 0 and standard_number.power = 0 then ln(1 + n.x)
            when n.x >= 0 then ((1 + n.x) ^ standard_number.power - 1) / standard_number.power
            when standard_number.power = 2 then -ln(1 - n.x)
            else -((1 - n.x) ^ (2 - standard_number.power) - 1) / (2 - standard_number.power)
        end
        - standard_number.center
    ) / standard_number.scale
    from (
        select least(
            greatest(standard_number.number, standard_number.lowest::numeric),
            standard_number.highest::numeric
        )::double precision
    ) n (x);
end;

comment on function standard_number(
    numeric, double precision, double precision, double precision, double precision, double precision
) is
'Internal. A number of an attribute, in standard deviations from the mean, after the power transform of Yeo and Johnson
(2000), A new family of power transformations; what is beyond the numbers that were fitted counts as their last.
Example: select standard_number(30, lowest => 18, highest => 95, power => 1, center => 40, scale => 10);';
