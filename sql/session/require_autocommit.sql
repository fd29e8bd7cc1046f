-- Stops a procedure that commits where it cannot.
--
-- Neither of the two attempts can commit: EXECUTE never may, which PostgreSQL words as it does inside a transaction
-- block; then the exception clause forbids it, unless a transaction block, which is looked for first, does.
create procedure require_autocommit(
    message text,
    hint text
)
language plpgsql
as $$
declare
    _inside text;
    _here text;
begin
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

    begin
        execute 'do ''begin commit; end''';
    exception when invalid_transaction_termination then
        get stacked diagnostics _inside = message_text;
    end;
    begin
        commit;
    exception when invalid_transaction_termination then
        get stacked diagnostics _here = message_text;
    end;

    if _here = _inside then
        raise exception using
            errcode = 'active_sql_transaction',
            message = require_autocommit.message,
            hint = require_autocommit.hint;
    end if;
end
$$;

comment on procedure require_autocommit(text, text) is
'Internal. Raises 25001 with this message and hint in a transaction block, where the procedure that calls it cannot
commit. Where it can, this has committed, and search_path is again that of the session.
Example: call require_autocommit(''it commits each batch'', ''Call it in autocommit mode.'');';
