-- The tokens of a text, token for token those of the model's own tokenizer, without the two around every text.
create function encoder_tokenize(
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
    _most constant integer := (select max_tokens - 2 from encoder);
    _tokens text[] := '{}';
    _word record;
begin
    if encoder_tokenize.raw is null then
        return null;
    end if;
    if _most is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'the weights of the model are not in this space',
            hint = 'Run, in a shell: pgaudience migrate, which stores them where the model can run in SQL.';
    end if;

    for _word in
        select w.word, t.token is not null as is_token
        from encoder_words(encoder_tokenize.raw) w
        left join encoder_tokens t on t.token = w.word
        order by w.place
    loop
        if _word.is_token then
            _tokens := _tokens || _word.word;
        else
            _tokens := _tokens || encoder_pieces(_word.word);
        end if;

        exit when cardinality(_tokens) >= _most;
    end loop;

    return _tokens[:_most];
end
$$;

comment on function encoder_tokenize(text) is
'The tokens of a text, those of the model''s own tokenizer: words, pieces of words after ##, [UNK]; cut where the model
cuts.
Example: select encoder_tokenize(''snowboarders in Zermatt'');';
