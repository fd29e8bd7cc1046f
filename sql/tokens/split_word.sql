-- The pieces of a word that is no token: the longest token it begins with, then the longest that follows, marked by ##.
-- Of a word beyond a hundred characters, which no language has, the first hundred count.
-- The whole word does not count, so that the pieces of a word that is a token can be asked for too.
create function split_word(
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
    _longest constant integer := 24;
    _rest text := left(split_word.word, 100);
    _mark text := '';
    _piece text;
    _pieces text[] := '{}';
begin
    while _rest <> '' loop
        select t.token into _piece
        from tokens t
        where t.token = any (array(
            select _mark || left(_rest, n)
            from generate_series(1, least(length(_rest), _longest)) n
            where n < length(split_word.word)
        ))
        order by length(t.token) desc
        limit 1;

        if found then
            _pieces := _pieces || _piece;
            _rest := substr(_rest, length(_piece) - length(_mark) + 1);
        else
            _rest := substr(_rest, 2);
        end if;

        _mark := '##';
    end loop;

    return _pieces;
end
$$;

comment on function split_word(text) is
'Internal. The pieces (##… after the first) of a word that is not in the token table; characters that are in no piece
are skipped.
Example: select split_word(''snowboarding'');';
