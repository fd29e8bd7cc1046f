-- Embeds what waits, in SQL alone: entries without the vector of their text, then queries. Each batch is committed by
-- itself, so that any number of sessions share the work, and one that is stopped loses a batch at most: some seconds of
-- work. Of long texts it has fewer.
--
-- A procedure that commits can carry no SET clause: every commit gives the caller's search_path back, and the next
-- statement takes that of the space again.
create procedure embed_entries(
    max_texts bigint default null
)
language plpgsql
as $$
declare
    _most_at_once constant integer := 128;
    _at_once integer;
    _started constant timestamptz := clock_timestamp();
    _procedure oid;
    _path text;
    _most bigint;
    _keys bigint[];
    _place integer;
    _done bigint;
    _total bigint := 0;
    _in_pass bigint;
begin
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    get diagnostics _procedure = pg_routine_oid;
    select concat(p.pronamespace::regnamespace, ', pg_temp') into _path
    from pg_proc p
    where p.oid = _procedure;

    perform pg_catalog.set_config('search_path', _path, true);
    call require_autocommit(
        'embed_entries cannot run in a transaction block: it commits each batch',
        'Call it in autocommit mode, as a statement of its own.'
    );
    perform pg_catalog.set_config('search_path', _path, true);
    _most := coalesce(embed_entries.max_texts, 9223372036854775807);

    if _most < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'max_texts must be 0 or more';
    elsif exists (select from space s where s.model = 'tfidf') then
        _total := embed_by_terms();
        raise notice 'embedded % texts', _total;
        commit;
        return;
    elsif not exists (select from encoder) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'the model of this space does not run in SQL',
            hint = 'Run, in a shell: pgaudience embed.';
    end if;

    -- What came meanwhile is looked for until nothing is found.
    loop
        _keys := entries_to_embed(_started);
        _place := 0;
        _in_pass := 0;

        while _place < cardinality(_keys) and _total < _most loop
            -- The longest text of a batch is its first.
            select least(_most_at_once, greatest(8, 4096 / length(t.text)), _most - _total) into _at_once
            from entry_texts t
            where t.entry_key = _keys[_place + 1];

            _at_once := coalesce(_at_once, 1);
            _done := embed_entry_batch(_keys[_place + 1 : _place + _at_once], _started);
            _place := _place + _at_once;
            _total := _total + _done;
            _in_pass := _in_pass + _done;
            commit;
            perform pg_catalog.set_config('search_path', _path, true);
        end loop;

        exit when _in_pass = 0 or _total >= _most;
    end loop;

    while _total < _most loop
        _done := embed_query_batch(least(_most_at_once, _most - _total));
        exit when _done = 0;
        _total := _total + _done;
        commit;
        perform pg_catalog.set_config('search_path', _path, true);
    end loop;

    raise notice 'embedded % texts', _total;
    commit;
end
$$;

comment on procedure embed_entries(bigint) is
'Embeds what waits, entries and queries, by the model in SQL: with no process alive, each batch committed by itself; in
autocommit mode only. What it cannot embed is in entry_failures. Then call refresh();
Example: call embed_entries(max_texts => 1000);';
