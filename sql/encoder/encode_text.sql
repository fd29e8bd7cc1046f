-- The vector of a text, computed by the model itself.
create function encode_text(
    raw text,
    prompt text default ''
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _tokens constant text[] := encoder_tokenize(encode_text.prompt || encode_text.raw);
begin
    if _tokens is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the text is null';
    end if;

    return (
        select a.embedding
        from encoder e
        cross join lateral encode_alike(
            array[array[e.first_token || _tokens || e.last_token]],
            array[array[1]]
        ) a
    );
end
$$;

comment on function encode_text(text, text) is
'The vector of a text, of unit length, as the space''s model gives it: the transformer runs here, in SQL.
Example: select encode_text(''night clubs'') <=> encode_text(''dancing'');';
