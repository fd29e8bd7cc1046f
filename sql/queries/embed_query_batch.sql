-- Embeds some of the queries that wait, in SQL, and says how many: those that no other session is at. If something is
-- wrong with a text, each is tried alone, and the bad one is kept with the error.
create function embed_query_batch(
    max_texts bigint
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _keys bigint[];
    _texts text[];
    _vectors vector[];
    _error text;
begin
    select array_agg(w.query_key order by w.query_key), array_agg(w.query order by w.query_key) into _keys, _texts
    from (
        select q.query_key, q.query
        from queries q
        where q.embedding is null and q.error is null
        order by q.query_key
        limit embed_query_batch.max_texts
        for no key update skip locked
    ) w;

    if _keys is null then
        return 0;
    end if;

    _vectors := encode_texts(_texts, (select e.query_prompt from encoder e));

    update queries q
    set embedding = n.embedding, embedded_at = clock_timestamp()
    from unnest(_keys, _vectors) n (query_key, embedding)
    where q.query_key = n.query_key;

    return cardinality(_keys);
exception when data_exception then
    if cardinality(_keys) > 1 then
        return embed_query_batch(1);
    end if;

    get stacked diagnostics _error = message_text;

    update queries q
    set error = _error, attempts = q.attempts + 1
    where q.query_key = _keys[1];

    return 1;
end
$$;

comment on function embed_query_batch(bigint) is
'Internal. Embeds some of the queries that wait, by the model in SQL, and returns how many; embed_entries calls it.
Example: select embed_query_batch(8);';
