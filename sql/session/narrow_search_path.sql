-- Narrows search_path to the space, until the end of the function that asks: what runs with its owner's rights begins
-- with it, since the schema of pgvector may be one in which others can create functions.
create function narrow_search_path()
returns text
language sql
volatile
begin atomic
    select set_config('search_path', quote_ident(current_schema()::text) || ', pg_temp', true);
end;

comment on function narrow_search_path() is
'Internal. Takes every schema but the space out of search_path, until the end of the function that calls it.
Example: select narrow_search_path();';
