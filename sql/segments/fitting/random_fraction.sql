-- A random number that is the same for the same seed, and leaves the session's own random() alone.
create function random_fraction(
    seed bigint,
    number bigint
)
returns double precision
language sql
immutable
strict
parallel safe
begin atomic
    select (hashint8extended(number, seed) & 4503599627370495) / 4503599627370496.0;
end;

comment on function random_fraction(bigint, bigint) is
'Internal. The pseudo-random fraction, 0 to 1 and less than 1, that has this number in the series of a seed.
Example: select round(random_fraction(0, 1)::numeric, 3);';
