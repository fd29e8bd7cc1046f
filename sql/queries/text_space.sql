-- Internal. The space in whose model texts are understood, where that is not this one.
create function text_space()
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return (select s.base from space s where s.model in ('behaviour', 'blend', 'attributes', 'vectors'));
end
$$;

comment on function text_space() is
'Internal. The space in which the texts of queries are understood: its base, of a learned space; null if that is this
one.
Example: select text_space() is null as here;';
