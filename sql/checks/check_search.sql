-- Stops a search whose mode or knobs mean nothing.
create function check_search(
    mode text,
    breadth double precision,
    evidence_weight double precision,
    padded boolean default true
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_search.mode is null or check_search.mode not in ('hybrid', 'evidence', 'mean') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('there is no search mode %L', check_search.mode),
            hint = 'Use: mode => ''hybrid'', ''evidence'' or ''mean''';
    end if;
    if check_search.breadth not between 0.5 and 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('breadth is 0.5 to 1, not %s', check_search.breadth),
            hint = 'For example: breadth => 0.75';
    end if;
    if check_search.evidence_weight not between 0 and 100 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('evidence_weight is 0 to 100, not %s', check_search.evidence_weight),
            hint = 'For example: evidence_weight => 2';
    end if;
    if check_search.padded is null or check_search.mode = 'mean' and not check_search.padded then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = case
                when check_search.padded is null then 'padded is true or false'
                else 'by mode mean nobody has evidence, so none can be left out for lack of it'
            end,
            hint = 'Use: padded => true';
    end if;
end
$$;

comment on function check_search(text, double precision, double precision, boolean) is
'Internal. Raises 22023 unless there is such a mode of search, and breadth and evidence_weight are null or in their
bounds, and by mode mean users without evidence are not to be left out (padded).
Example: select check_search(''hybrid'', breadth => 0.75, evidence_weight => null);';
