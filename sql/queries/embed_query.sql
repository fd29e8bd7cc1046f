-- Asks a worker for the vector of a text and waits until it is there.
--
-- A worker sees the request only once it is committed, and a procedure that commits can carry no SET clause: every
-- commit gives the caller's search_path back, and the next statement takes that of the space again.
create procedure embed_query(
    query text,
    timeout interval default '10 s'
)
language plpgsql
as $$
#variable_conflict use_column
declare
    _procedure oid;
    _path text;
    _query text;
    _deadline timestamptz;
    _pause double precision := 0.01;
    _error text;
begin
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    get diagnostics _procedure = pg_routine_oid;
    select concat(p.pronamespace::regnamespace, ', pg_temp') into _path
    from pg_proc p
    where p.oid = _procedure;

    perform pg_catalog.set_config('search_path', _path, true);
    call require_autocommit(
        'embed_query cannot run in a transaction block: a worker sees only what is committed',
        'Call it in autocommit mode, as a statement of its own; or ask with'
        ' request_embedding(text), commit, and see query_source(text).'
    );
    perform pg_catalog.set_config('search_path', _path, true);
    _query := normalize_text(embed_query.query);

    if not coalesce(embed_query.timeout between interval '0' and interval '1 year', false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'timeout is an interval of 0 to a year',
            hint = 'For example: timeout => ''10 s''';
    end if;

    if text_space() is not null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('the space %I understands texts as %I does', current_schema(), text_space()),
            hint = format('Run: call %I.embed_query(%L);', text_space(), _query);
    end if;

    _deadline := clock_timestamp() + embed_query.timeout;

    if request_embedding(_query) not in ('entry', 'exact', 'encoder') then
        loop
            commit;
            perform pg_catalog.set_config('search_path', _path, true);

            exit when query_source(_query) in ('entry', 'exact', 'encoder');

            select q.error into _error
            from queries q
            where text_hash(q.query) = text_hash(_query);

            if _error is not null then
                raise exception using
                    errcode = 'invalid_parameter_value',
                    message = format('the model refused the text: %s', _error);
            elsif not exists (select from live_workers) then
                raise exception using
                    errcode = 'object_not_in_prerequisite_state',
                    message = 'no worker is running, so nothing computes the vector now',
                    detail = 'The request is kept for the next one.',
                    hint = 'Run, in a shell: pgaudience worker (it stays) or pgaudience embed (once).';
            elsif clock_timestamp() >= _deadline then
                raise exception using
                    errcode = 'object_not_in_prerequisite_state',
                    message = format('no vector within %s', embed_query.timeout),
                    detail = 'The request is kept: the worker is still at it, or its log says what is wrong.',
                    hint = format('Wait longer: call embed_query(%L, timeout => ''1 min'');', _query);
            end if;

            perform pg_sleep(least(_pause, extract(epoch from _deadline - clock_timestamp())));
            _pause := least(_pause * 1.5, 0.25);
        end loop;
    end if;

    commit;
end
$$;

comment on procedure embed_query(text, interval) is
'Asks a worker for the vector of a text and returns when embed() gives it; in autocommit mode only.
Example: call embed_query(''ski enthusiasts'', timeout => ''10 s'');';
