-- The tokens of a text. Whoever fits the token table and whoever reads it calls this one function.
--
-- From left to right, the longest match: two words that are a token together, else one word, else the pieces of a word.
-- Of a long text the first thousand words are read: what comes later would hardly move a sum.
create function tokenize(
    raw text
)
returns text[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _words constant text[] := (split_words(left(tokenize.raw, 100000)))[:1000];
    _count constant integer := cardinality(_words);
    _known text[];
    _tokens text[] := '{}';
    _position integer := 1;
    _pair text;
begin
    select array_agg(t.token) into _known
    from tokens t
    where t.token = any (
        _words || array(select _words[n] || ' ' || _words[n + 1] from generate_series(1, _count - 1) n)
    );

    while _position <= _count loop
        _pair := _words[_position] || ' ' || _words[_position + 1];

        if _pair = any (_known) then
            _tokens := _tokens || _pair;
            _position := _position + 2;
        else
            _tokens := _tokens || case
                when _words[_position] = any (_known) then array[_words[_position]]
                else split_word(_words[_position])
            end;
            _position := _position + 1;
        end if;
    end loop;

    return _tokens;
end
$$;

comment on function tokenize(text) is
'The tokens of a text that are in the token table: pairs of words, words, and pieces (##…) of words that are not there.
The first 1,000 words are read, of the first 100,000 characters.
Example: select tokenize(''snowboarding in the Alps'');';
