-- What a text says to a space of tfidf: its words, and pairs of words that follow each other, each as often as it is
-- there.
create function text_terms(
    raw text
)
returns text[]
language sql
immutable
strict
parallel safe
begin atomic
    select
        w.words
        || array(select w.words[n] || ' ' || w.words[n + 1] from generate_series(1, cardinality(w.words) - 1) n)
    from (select (split_words(left(text_terms.raw, 100000)))[:1000] as words offset 0) w;
end;

comment on function text_terms(text) is
'Internal. The words of a text and the pairs of words in it, of which spaces of tfidf are made; the first 1,000 words
are read.
Example: select text_terms(''night clubs in Aspen'');';
