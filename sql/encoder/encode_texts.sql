-- The vectors of texts, computed by the model itself: each of its matrices is read once for all tokens of a batch.
create function encode_texts(
    texts text[],
    prompt text default ''
)
returns vector[]
language plpgsql
stable
parallel safe
set jit = off
set search_path from current
as $$
#variable_conflict use_column
declare
    _tokens_at_once constant integer := 32;
    _encoder encoder%rowtype;
    _batch record;
    _states vector[];
    _vectors vector[] := '{}';
begin
    select * into _encoder from encoder;

    if not found then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'the weights of the model are not in this space',
            hint = 'Run, in a shell: pgaudience migrate, which stores them where the model can run in SQL.';
    elsif array_position(encode_texts.texts, null) is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'one of the texts is null';
    end if;

    for _batch in
        select
            array_agg(t.embedding::vector + p.embedding order by q.text, k.position) as inputs,
            array_agg(q.text order by q.text, k.position)::integer[] as text_of,
            count(distinct q.text) as texts,
            bool_or(t.token is null or p.position is null) as is_incomplete
        from (
            select
                s.text,
                s.tokens,
                (sum(cardinality(s.tokens)) over (order by s.text) - 1) / _tokens_at_once as batch
            from (
                select
                    u.n as text,
                    _encoder.first_token
                        || encoder_tokenize(concat(encode_texts.prompt, u.raw))
                        || _encoder.last_token as tokens
                from unnest(encode_texts.texts) with ordinality u (raw, n)
            ) s
        ) q
        cross join lateral unnest(q.tokens) with ordinality k (token, position)
        left join encoder_tokens t using (token)
        left join encoder_positions p using (position)
        group by q.batch
        order by q.batch
    loop
        if _batch.is_incomplete then
            raise exception using
                errcode = 'data_exception',
                message = 'the model in this space lacks a token of its vocabulary',
                hint = 'Run, in a shell: pgaudience check.';
        end if;

        execute encoder_statement(cardinality(_batch.inputs), _batch.texts = 1) into strict _states
        using _batch.inputs, _batch.text_of;

        _vectors := _vectors || array(
            select l2_normalize(subvector(sum(s.state), 1, _encoder.dimensions))
            from (
                select u.state, u.text, u.text is distinct from lag(u.text) over (order by u.n) as is_first
                from unnest(_states, _batch.text_of) with ordinality u (state, text, n)
            ) s
            where s.is_first or _encoder.pooling = 'mean'
            group by s.text
            order by s.text
        );
    end loop;

    return _vectors;
end
$$;

comment on function encode_texts(text[], text) is
'The vectors of texts, in their order, as the space''s model gives them; prompt is put before each, for models that know
one.
Example: select encode_texts(array[''night clubs'', ''dancing'']);';
