-- Puts a text on the list of those that wait for their vector, and wakes the workers.
--
-- It must not wait for a worker that holds the row of the text: an upsert would lock that row, these statements do not.
create function request_embedding(
    query text
)
returns text
language plpgsql
volatile
set search_path from current
as $$
#variable_conflict use_column
declare
    _query text := normalize_text(request_embedding.query);
    _source text;
begin
    if _query is null or _query = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the query text is blank';
    end if;

    if text_space() is not null and query_source(_query) <> 'entry' then
        execute format('select %I.request_embedding($1)', text_space()) into _source using _query;
        return _source;
    end if;

    if query_source(_query) not in ('entry', 'exact', 'encoder') then
        insert into queries (query) values (_query)
        on conflict (text_hash(query)) do nothing;

        update queries q
        set error = null
        where text_hash(q.query) = text_hash(_query) and q.error is not null;

        perform pg_notify('pgaudience_' || current_schema(), '');
    end if;

    return query_source(_query);
end
$$;

comment on function request_embedding(text) is
'Asks for the vector of a query text and returns what query_source says now; a worker computes it, or pgaudience embed.
Example: select request_embedding(''ski enthusiasts'');';
