-- A template with its words and punctuation shared out among the values, so that a value can drop out with what is its
-- own. It is made once for many rows. The first letter of a part says what it is:
--   h  a beginning up to a punctuation mark: it stands whatever drops out
--   s  what separates two values
--   l  the words that introduce a value, or brackets
--   k  the name of a value
--   o  what opens brackets; c  what closes them
--   x  the words that follow a value, such as a unit
--   t  the end
create function share_out_tokens(
    tokens text[]
)
returns text[]
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    -- Not [[:punct:]], which depends on the locale. A colon or a dash parts two values only where no words precede it.
    _only_marks constant text := e'^[-\\s,;:.!?|/·•—–&+*=~<>]*$';
    _mark constant text := e'^\\s*[-,;:.!?|/·•—–&+*=~<>]+\\s*|\\s*[,;.!?|/·•—–]+(\\s+|$)|\\s+-+\\s+|\\s*\\n\\s*';
    _parts text[] := '{}';
    _left text := 'h';
    _literal text := '';
    _token text;
    _at integer;
    _after integer;
begin
    foreach _token in array share_out_tokens.tokens || 't'::text loop
        if _token like 'l%' then
            _literal := substr(_token, 2);
            continue;
        end if;

        if _left = 'o' then
            _parts := _parts || ('l' || _literal);
        elsif _token like 'c%' then
            _parts := _parts || ('x' || _literal);
        elsif _left = 'h' then
            -- The last mark, not one inside a label such as 'Age: '.
            _after := length(substring(_literal from e'^.*[,;.!?|/·•—–]\\s+'));
            _after := coalesce(_after, 0);
            _parts := _parts || ('h' || left(_literal, _after)) || ('l' || substr(_literal, _after + 1));
        else
            _at := regexp_instr(_literal, _mark, 1, 1, 0);
            _after := regexp_instr(_literal, _mark, 1, 1, 1);
            if _literal ~ _only_marks then
                _at := 1;
                _after := length(_literal) + 1;
            elsif _at = 0 and _token <> 't' then
                _at := 1;
                _after := length(_literal) - length(ltrim(_literal)) + 1;
            elsif _at = 0 then
                _at := length(_literal) + 1;
            end if;
            _parts := _parts || ('x' || left(_literal, _at - 1));
            if _token = 't' then
                _token := 't' || substr(_literal, _at);
            else
                _parts := _parts || ('s' || substr(_literal, _at, _after - _at)) || ('l' || substr(_literal, _after));
            end if;
        end if;

        _parts := _parts || _token;
        _left := left(_token, 1);
        _literal := '';
    end loop;

    -- Most are empty.
    return array(
        select p.part
        from unnest(_parts) with ordinality p (part, place)
        where p.part !~ '^[hlxt]$'
        order by p.place
    );
end
$$;

comment on function share_out_tokens(text[]) is
'Internal. A template, cut by template_tokens, with its words and punctuation shared out among its values, as
fill_template takes it; a first letter says what each part is.
Example: select share_out_tokens(template_tokens(''{entry} — {aisle}, {department}''));';
