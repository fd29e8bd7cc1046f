-- Refuses a sample whose points cannot all be compared with all: a vector of distances has at most 16,000 dimensions.
create function check_sample(
    sample_size bigint
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if not coalesce(check_sample.sample_size between 0 and 16000, false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('a sample has at most 16,000, not %s', coalesce(check_sample.sample_size::text, 'null')),
            hint = 'For example: sample_size => 2000';
    end if;
end
$$;

comment on function check_sample(bigint) is
'Internal. Raises an error unless a sample of this size, 0 to 16,000, can be judged.
Example: select check_sample(2000);';
