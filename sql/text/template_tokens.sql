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
    _longest constant bigint := 10000;
    _opening constant text := '([“«';
    _closing constant text := ')]”»';
    _tokens text[] := '{}';
    _values bigint := 0;
    _place bigint := 0;
    _kind integer;
    -- Of the brackets of each kind that are open, the last, 0 for none; of each, the one around it, and the values
    -- before.
    _last bigint[] := '{0,0,0,0}';
    _around bigint[] := '{}';
    _values_before bigint[] := '{}';
    _begin bigint;
    _token text;
begin
    if length(template_tokens.template) > _longest then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('a template has at most %s characters, not %s', _longest, length(template_tokens.template)),
            hint = 'Say the same in fewer words: a model reads a few hundred of a text.';
    end if;

    for _token in
        select m[1]
        from regexp_matches(
            template_tokens.template,
            e'\\{\\{|\\}\\}|\\{[^{}]*\\}|[{}]|[([“«)\\]”»]|[^{}([“«)\\]”»]+',
            'g'
        ) m
    loop
        if _token ~ e'^(\\{ *\\}|[{}])$' then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('the template %L has braces around no name: %s', template_tokens.template, _token),
                hint = 'Write {entry}, or {name} for any other value; for the braces themselves write {{ and }}.';
        end if;

        _place := _place + 1;
        _around[_place] := 0;
        _values_before[_place] := _values;
        _tokens[_place] := 'l' || _token;

        if _token in ('{{', '}}') then
            _tokens[_place] := 'l' || left(_token, 1);
        elsif _token like '{%' then
            _values := _values + 1;
            _tokens[_place] := 'k' || btrim(_token, '{} ');
        elsif strpos(_opening, _token) > 0 then
            _kind := strpos(_opening, _token);
            _around[_place] := _last[_kind];
            _last[_kind] := _place;
        elsif strpos(_closing, _token) > 0 then
            _kind := strpos(_closing, _token);
            _begin := _last[_kind];
            if _begin > 0 and _values > _values_before[_begin] then
                _tokens[_begin] := 'o' || substr(_tokens[_begin], 2);
                _tokens[_place] := 'c' || _token;
                _last[_kind] := _around[_begin];
            else
                -- These are as any text, and so are those of their kind around them.
                _last[_kind] := 0;
            end if;
        end if;
    end loop;

    if _values = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the template %L names no value', template_tokens.template),
            hint = 'Write, for example, ''{entry}'' or ''{entry} — {category}''.';
    end if;

    -- Literal texts side by side become one.
    return array(
        select left(min(t.token), 1) || string_agg(substr(t.token, 2), '' order by t.place)
        from (
            select
                n.token,
                n.place,
                count(*) filter (where n.token not like 'l%' or n.previous not like 'l%') over (order by n.place) as part
            from (
                select u.token, u.place, lag(u.token, 1, '') over (order by u.place) as previous
                from unnest(_tokens) with ordinality u (token, place)
            ) n
        ) t
        group by t.part
        order by t.part
    );
end
$$;

comment on function template_tokens(text) is
'Internal. A template cut at its braces and brackets; a first letter says what each token is: k the name of a value, l
text, o and c what opens and closes brackets around a value.
Example: select template_tokens(''{entry} ({aisle})'');';
