-- The words of a text as the tokenizer of the model parts them, as many as it can take.
--
-- What stands for a character, encoder_characters knows: nothing, a space, other characters, itself as a word of its
-- own. So neither a collation nor the server's version of Unicode has a say. A long text is read as far as it is
-- needed.
create function encoder_words(
    raw text
)
returns table (
    place bigint,
    word text
)
language plpgsql
stable
parallel safe
rows 20
set search_path from current
as $$
#variable_conflict use_column
declare
    _specials constant text := (select special_tokens from encoder);
    _most constant bigint := (select max_tokens from encoder);
    _longest_special constant integer := 100;
    _length integer := 4096;
    _words text[];
begin
    loop
        with parts as (
            select p.part, 2 * p.n as place, false as is_special
            from regexp_split_to_table(left(encoder_words.raw, _length), _specials) with ordinality p (part, n)
            union all
            select m.match[1], 2 * m.n + 1, true
            from regexp_matches(left(encoder_words.raw, _length), _specials, 'g') with ordinality m (match, n)
        ),
        letters as (
            select p.place, l.n, l.letter, ascii(l.letter) as code
            from parts p
            cross join lateral string_to_table(p.part, null) with ordinality l (letter, n)
            where not p.is_special
        ),
        stand_ins as (
            select d.code, r.becomes, r.is_word
            from (select distinct code from letters) d
            cross join lateral (
                select c.last_code, c.becomes, c.is_word
                from encoder_characters c
                where c.first_code <= d.code
                order by c.first_code desc
                limit 1
            ) r
            where d.code <= r.last_code
        ),
        clean as (
            select
                l.place,
                string_agg(
                    case
                        when s.is_word then concat(' ', coalesce(s.becomes, l.letter), ' ')
                        else coalesce(s.becomes, l.letter)
                    end,
                    '' order by l.n
                ) as text
            from letters l
            left join stand_ins s using (code)
            group by l.place
        )
        select array_agg(w.word order by w.place, w.n) into _words
        from (
            select c.place, s.n, s.word
            from clean c
            cross join lateral string_to_table(c.text, ' ') with ordinality s (word, n)
            where s.word <> ''
            union all
            select p.place, 1, p.part
            from parts p
            where p.is_special
            order by 1, 2
            limit _most + _longest_special
        ) w;

        -- The last words may be cut off in the middle; those that count are not.
        exit when cardinality(_words) = _most + _longest_special or _length >= length(encoder_words.raw);
        _length := _length * 8;
    end loop;

    return query
    select w.n, w.word
    from unnest(_words) with ordinality w (word, n)
    where w.n <= _most
    order by w.n;
end
$$;

comment on function encoder_words(text) is
'Internal. The words of a text as the model''s own tokenizer parts them, no more than it can take.
Example: select * from encoder_words(''Crème brûlée, for two'');';
