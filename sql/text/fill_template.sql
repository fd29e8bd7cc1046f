-- A template filled. A value that is missing takes the words around it along, brackets around nothing go, and of the
-- separators between two values that are left, the first stands, or the first that is more than a space.
create function fill_template(
    parts text[],
    entry text,
    attributes jsonb
)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _text text := '';
    _has_value boolean := false;
    _is_present boolean := false;
    _separator text;
    _label text := '';
    _open text[] := '{}';
    _value text;
    _part text;
    _own text;
begin
    foreach _part in array fill_template.parts loop
        _own := substr(_part, 2);
        case left(_part, 1)
            when 'k' then
                if _own = 'entry' and fill_template.entry is not null then
                    _value := fill_template.entry;
                elsif jsonb_typeof(fill_template.attributes -> _own) = 'array' then
                    select string_agg(v.value, ', ' order by v.place) into _value
                    from jsonb_array_elements_text(fill_template.attributes -> _own) with ordinality v (value, place)
                    where btrim(v.value) <> '';
                else
                    _value := btrim(fill_template.attributes ->> _own);
                end if;

                _is_present := _value <> '';
                if _is_present then
                    _text := concat(
                        _text,
                        case when _has_value then _separator end,
                        array_to_string(_open, ''),
                        _label,
                        _value
                    );
                    _has_value := true;
                    _separator := null;
                    _open := '{}';
                end if;
                _label := '';
            when 's' then
                if _separator is null or (btrim(_separator) = '' and _open = '{}') then
                    _separator := _own;
                end if;
            when 'l' then
                _label := _own;
            when 'o' then
                _open := array_append(_open, _label || _own);
                _label := '';
            when 'c' then
                _is_present := _open = '{}';
                if _is_present then
                    _text := _text || _own;
                    _separator := null;
                else
                    _open := trim_array(_open, 1);
                end if;
            when 'x' then
                if _is_present then
                    _text := _text || _own;
                end if;
            else
                _text := _text || _own;
        end case;
    end loop;

    return case when _has_value then btrim(_text) else fill_template.entry end;
end
$$;

comment on function fill_template(text[], text, jsonb) is
'Internal. The text that a template, taken apart by template_parts, makes of an entry and its attributes; of an entry
without any of the values, the entry itself.
Example: select entry, fill_template(template_parts(''{entry} — {category}''), entry, attributes) from entries;';
