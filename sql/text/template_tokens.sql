-- A template cut at its braces and brackets. The first letter of a token says what it is: k the name of a value, l
-- literal text, o and c what opens and closes brackets that have a value inside. Other brackets are as any text.
create function template_tokens(
    template text
)
returns text[]
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    -- Stand-ins, so that one regular expression sees a value or a bracket as one character.
    _value constant text := E'\x01';
    _stand_ins constant text := E'\x02\x03\x04\x05\x0E\x0F\x10\x11';
    _brackets constant text := '([“«)]”»';
    _pattern text;
    _keys text[] := '{}';
    _text text := '';
    _previous text;
    _token text;
begin
    for _token in
        select m[1]
        from regexp_matches(template_tokens.template, '\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]', 'g') m
    loop
        if _token in ('{{', '}}') then
            _text := _text || left(_token, 1);
        elsif _token ~ '^(\{ *\}|[{}])$' then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('the template %L has braces around no name: %s', template_tokens.template, _token),
                hint = 'Write {entry}, or {name} for any other value; for the braces themselves write {{ and }}.';
        elsif _token like '{%' then
            _text := _text || _value;
            _keys := array_append(_keys, btrim(_token, '{} '));
        else
            _text := _text || translate(_token, _value || _stand_ins, '');
        end if;
    end loop;

    if _keys = '{}' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the template %L names no value', template_tokens.template),
            hint = 'Write, for example, ''{entry}'' or ''{entry} — {category}''.';
    end if;

    -- From the innermost brackets outwards.
    while _text is distinct from _previous loop
        _previous := _text;
        for n in 1..4 loop
            _pattern := format(
                '\%1$s([^\%1$s\%2$s]*\x01[^\%1$s\%2$s]*)\%2$s',
                substr(_brackets, n, 1),
                substr(_brackets, n + 4, 1)
            );
            _text := regexp_replace(
                _text,
                _pattern,
                substr(_stand_ins, n, 1) || '\1' || substr(_stand_ins, n + 4, 1),
                'g'
            );
        end loop;
    end loop;

    return array(
        select case
            when m.token = _value then 'k' || _keys[count(*) filter (where m.token = _value) over (order by m.place)]
            when strpos(_stand_ins, m.token) between 1 and 4 then 'o' || translate(m.token, _stand_ins, _brackets)
            when strpos(_stand_ins, m.token) > 4 then 'c' || translate(m.token, _stand_ins, _brackets)
            else 'l' || m.token
        end
        from (
            select r.m[1] as token, r.place
            from regexp_matches(_text, '[\x01-\x05\x0E-\x11]|[^\x01-\x05\x0E-\x11]+', 'g') with ordinality r (m, place)
        ) m
        order by m.place
    );
end
$$;

comment on function template_tokens(text) is
'Internal. A template cut at its braces and brackets; a first letter says what each token is: k the name of a value, l
text, o and c what opens and closes brackets around a value.
Example: select template_tokens(''{entry} ({aisle})'');';
