-- The words of a text, as the token table knows them: lower case, without accents, everything else is a boundary.
create function split_words(
    raw text
)
returns text[]
language sql
immutable
strict
parallel safe
begin atomic
    select array_remove(
        regexp_split_to_array(
            lower(regexp_replace(normalize(split_words.raw, nfkd), '[\u0300-\u036F]', '', 'g')),
            '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2000-\u206F\u2190-\u2BFF\u3000-\u303F]+'
        ),
        ''
    );
end;

comment on function split_words(text) is
'Internal. The words of a text in lower case and without accents; punctuation and white space part them.
Example: select split_words(''Crème brûlée, for two'');';
