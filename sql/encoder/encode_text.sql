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
begin
    return (encode_texts(array[encode_text.raw], encode_text.prompt))[1];
end
$$;

comment on function encode_text(text, text) is
'The vector of a text, of unit length, as the space''s model gives it: the transformer runs here, in SQL.
Example: select encode_text(''night clubs'') <=> encode_text(''dancing'');';
