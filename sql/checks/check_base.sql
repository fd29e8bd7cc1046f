-- Stops what belongs into the space that people are loaded into, where their space is another.
create function check_base(
    hint text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _base text;
begin
    select s.base into _base
    from space s;

    if _base is not null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('the people of the space %I are those of %I', current_schema(), _base),
            hint = format(check_base.hint, _base);
    end if;
end
$$;

comment on function check_base(text) is
'Internal. Raises 55000 in a space over the people of another, with this hint, in which %I stands for that one.
Example: select check_base(''Bring them in there: call %I.sync();'');';
