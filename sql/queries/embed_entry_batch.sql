-- Embeds some entries in SQL, and says how many texts that were: those that no other session is at, and that still
-- wait.
--
-- They are locked by one statement and looked at by the next, whose snapshot is younger: what another session has just
-- committed is not done twice. If something is wrong with a text, each is tried alone, and the bad one is kept with the
-- error.
create function embed_entry_batch(
    entry_keys bigint[],
    failed_before timestamptz
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _claimed bigint[];
    _hashes uuid[];
    _texts text[];
    _vectors vector[];
    _key bigint;
    _done bigint := 0;
    _error text;
begin
    select array_agg(c.entry_key) into _claimed
    from (
        select e.entry_key
        from entries e
        where e.entry_key = any (embed_entry_batch.entry_keys)
        order by e.entry_key
        for no key update skip locked
    ) c;

    select
        array_agg(w.text order by length(w.text) desc, w.text_hash),
        array_agg(w.text_hash order by length(w.text) desc, w.text_hash)
    into _texts, _hashes
    from (
        select distinct t.text, t.text_hash
        from entry_texts t
        where t.entry_key = any (_claimed)
            and t.is_current is not true
            and (t.refused_at is null or t.refused_at < embed_entry_batch.failed_before)
    ) w;

    if _texts is null then
        return 0;
    end if;

    _vectors := encode_texts(_texts, (select e.passage_prompt from encoder e));

    insert into entry_vectors (entry_key, embedding, text_hash)
    select t.entry_key, n.embedding, case when t.text <> t.entry then t.text_hash end
    from unnest(_hashes, _vectors) n (text_hash, embedding)
    join entry_texts t using (text_hash)
    where t.entry_key = any (_claimed) and t.is_current is not true
    order by t.entry_key
    on conflict (entry_key) do update
    set embedding = excluded.embedding, text_hash = excluded.text_hash, embedded_at = clock_timestamp();

    delete from entry_failures f
    where f.entry_key = any (_claimed);

    return cardinality(_texts);
exception when data_exception then
    if cardinality(embed_entry_batch.entry_keys) > 1 then
        foreach _key in array embed_entry_batch.entry_keys loop
            _done := _done + embed_entry_batch(array[_key], embed_entry_batch.failed_before);
        end loop;

        return _done;
    end if;

    get stacked diagnostics _error = message_text;

    insert into entry_failures as f (entry_key, error, text_hash, failed_at)
    select t.entry_key, _error, t.text_hash, clock_timestamp()
    from entry_texts t
    where t.entry_key = any (_claimed)
    on conflict (entry_key) do update
    set error = excluded.error,
        attempts = case when f.text_hash = excluded.text_hash then f.attempts + 1 else 1 end,
        text_hash = excluded.text_hash,
        failed_at = excluded.failed_at;

    return 1;
end
$$;

comment on function embed_entry_batch(bigint[], timestamptz) is
'Internal. Embeds some entries by the model in SQL and returns how many texts that were; embed_entries calls it.
Example: select embed_entry_batch(entries_to_embed(now()), now());';
