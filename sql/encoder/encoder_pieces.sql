-- The pieces of a word that is no token: the longest token it begins with, then the longest that follows, marked by ##.
-- A word with a part that is no token, or a longer one than the tokenizer looks at, is the unknown token as a whole.
create function encoder_pieces(
    word text
)
returns text[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _encoder encoder%rowtype;
    _pieces text[] := '{}';
    _mark text := '';
    _place integer := 1;
    _piece text;
begin
    select * into strict _encoder from encoder;

    if length(encoder_pieces.word) > _encoder.longest_word then
        return array[_encoder.unknown_token];
    end if;

    while _place <= length(encoder_pieces.word) loop
        select t.token into _piece
        from encoder_tokens t
        where t.token = any (array(
            select _mark || substr(encoder_pieces.word, _place, n)
            from generate_series(1, least(_encoder.longest_piece, length(encoder_pieces.word) - _place + 1)) n
        ))
        order by length(t.token) desc
        limit 1;

        if not found then
            return array[_encoder.unknown_token];
        end if;

        _pieces := _pieces || _piece;
        _place := _place + length(_piece) - length(_mark);
        _mark := '##';
    end loop;

    return _pieces;
end
$$;

comment on function encoder_pieces(text) is
'Internal. The pieces (##… after the first) of a word that is no token of the model; [UNK] if it cannot be pieced
together.
Example: select encoder_pieces(''snowboarders'');';
