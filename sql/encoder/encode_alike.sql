-- The vectors of texts that have as many tokens each, computed by the model itself in rounds: each of its matrices is
-- read once a round. The dimensions of the arrays are rounds, texts and, of tokens, their places in the text.
create function encode_alike(
    tokens text[],
    texts bigint[]
)
returns table (
    text bigint,
    embedding vector
)
language plpgsql
stable
parallel safe
cost 1000000
rows 20
set jit = off
set search_path from current
as $$
#variable_conflict use_column
declare
    _texts constant integer := array_length(encode_alike.tokens, 2);
    _tokens constant integer := array_length(encode_alike.tokens, 3);
    _inputs vector[];
begin
    _inputs := array(
        select
            (select t.embedding::vector from encoder_tokens t where t.token = k.token)
                + (select p.embedding from encoder_positions p where p.position = (k.n - 1) % _tokens + 1)
        from unnest(encode_alike.tokens) with ordinality k (token, n)
        order by k.n
    );

    if array_position(_inputs, null) is not null then
        raise exception using
            errcode = 'data_exception',
            message = 'the model in this space lacks a token of its vocabulary',
            hint = 'Run, in a shell: pgaudience check.';
    end if;

    return query execute encoder_statement(_texts, _tokens)
    using _inputs, encode_alike.texts;
end
$$;

comment on function encode_alike(text[], bigint[]) is
'Internal. The vectors of texts that have as many tokens each, beside the numbers of the texts; encode_texts asks for
them, of several processes at once.
Example: select text from encode_alike(''{{{[CLS],ski,[SEP]}}}'', texts => ''{{1}}'');';
