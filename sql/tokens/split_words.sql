-- The words of a text, as the token table knows them: lower case, without accents; every emoji is one.
-- Some collations end a word with another sigma than the one they write inside it: here there is one.
create function split_words(
    raw text
)
returns text[]
language sql
immutable
strict
parallel safe
begin atomic
    select coalesce(array_agg(w.word[1] order by w.place), '{}')
    from regexp_matches(
        translate(
            lower_case(
                regexp_replace(normalize(strip_invisible(split_words.raw), nfkd), '[\u0300-\u036F]', '', 'g')
            ),
            'ς',
            'σ'
        ),
        word_pattern(),
        'g'
    ) with ordinality w (word, place);
end;

comment on function split_words(text) is
'Internal. The words of a text in lower case and without accents; punctuation and white space part them, an emoji is
one.
Example: select split_words(''Crème brûlée, for two ❤️'');';
