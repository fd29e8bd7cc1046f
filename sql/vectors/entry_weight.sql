-- What a frequency counts for in a profile. It is not strict: then the planner could not put its body in its place.
create function entry_weight(
    frequency double precision,
    weighting text
)
returns double precision
language sql
immutable
parallel safe
begin atomic
    select case entry_weight.weighting
        when 'log' then ln(1 + entry_weight.frequency)
        when 'frequency' then entry_weight.frequency
        when 'sqrt' then sqrt(entry_weight.frequency)
        when 'binary' then 1
    end;
end;

comment on function entry_weight(double precision, text) is
'Internal. The weight of a frequency f under a weighting: log ln(1 + f), frequency f, sqrt the root of f, binary 1.
Example: select entry_weight(30, weighting => ''log'');';
