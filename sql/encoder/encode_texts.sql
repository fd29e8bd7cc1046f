-- The vectors of texts, computed by the model itself, by as many processes as PostgreSQL gives a query.
--
-- Texts of as many tokens share a round, some thirty tokens at once; rounds of one shape share a call, which plans them
-- once; and the calls are branches of a union, which parallel workers take one by one.
create function encode_texts(
    texts text[],
    prompt text default ''
)
returns vector[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _tokens_a_round constant numeric := 32;
    _rounds_a_call constant integer := 3;
    _calls text;
    _vectors vector[];
begin
    if array_position(encode_texts.texts, null) is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'one of the texts is null';
    end if;

    with tokenized as (
        select u.n as text, e.first_token || k.tokens || e.last_token as tokens, cardinality(k.tokens) + 2 as size
        from unnest(encode_texts.texts) with ordinality u (raw, n)
        cross join lateral encoder_tokenize(concat(encode_texts.prompt, u.raw)) k (tokens)
        left join encoder e on true
    ),
    alike as (
        select t.*, count(*) over same as texts, row_number() over (same order by t.text) - 1 as place
        from tokenized t
        window same as (partition by t.size)
    ),
    rounds as (
        select
            a.size,
            a.place * least(greatest(round(a.texts * a.size / _tokens_a_round), 1), a.texts)::bigint / a.texts as round,
            array_agg(a.tokens order by a.text) as tokens,
            array_agg(a.text order by a.text) as texts
        from alike a
        group by 1, 2
    ),
    calls as (
        select
            array_agg(r.tokens order by r.round) as tokens,
            array_agg(r.texts order by r.round) as texts
        from (
            select
                r.*,
                (row_number() over (partition by r.size, cardinality(r.texts) order by r.round) - 1)
                    / _rounds_a_call as call
            from rounds r
        ) r
        group by r.size, cardinality(r.texts), r.call
    )
    select string_agg(
        format('select * from encode_alike(%L, %L)', c.tokens, c.texts),
        ' union all ' order by cardinality(c.tokens) desc
    )
    into _calls
    from calls c;

    if _calls is null then
        return '{}';
    end if;

    execute format('select array_agg(c.embedding order by c.text) from (%s) c', _calls) into _vectors;
    return _vectors;
end
$$;

comment on function encode_texts(text[], text) is
'The vectors of texts, in their order, as the space''s model gives them; prompt is put before each, for models that know
one. Parallel workers take part where max_parallel_workers_per_gather is at least 2.
Example: select encode_texts(array[''night clubs'', ''dancing'']);';
