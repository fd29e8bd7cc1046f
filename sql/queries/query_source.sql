-- Where embed() would take the vector of a text from.
create function query_source(
    query text
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _query text := normalize_text(query_source.query);
    _source text;
begin
    if text_space() is not null and not exists (
        select from entries e join entry_vectors v using (entry_key)
        where text_hash(e.entry) = text_hash(_query)
    ) then
        execute format('select %I.query_source($1)', text_space()) into _source using _query;
        return _source;
    end if;

    return case
        when exists (
            select from entries e join entry_vectors v using (entry_key)
            where text_hash(e.entry) = text_hash(_query)
        ) then 'entry'
        when exists (
            select from queries q
            where text_hash(q.query) = text_hash(_query) and q.embedding is not null
        ) then 'exact'
        when exists (select from encoder) then case when encoder_tokenize(_query) <> '{}' then 'encoder' else 'none' end
        when exists (select from space s where s.model = 'tfidf')
            then case
                when exists (select from tokens t where t.token = any (text_terms(_query))) then 'encoder'
                else 'none'
            end
        when tokenize(_query) <> '{}' then 'approximate'
        when exists (
            select from queries q
            where text_hash(q.query) = text_hash(_query)
        ) then 'waiting'
        else 'none'
    end;
end
$$;

comment on function query_source(text) is
'Where embed() takes the vector of a text from: entry, exact (a cached query), encoder (the model itself, in SQL),
approximate (the token table), or, if it cannot, whether the text is waiting (asked for) or none. A learned space
asks the space in which its texts are understood.
Example: select query_source(''ski enthusiasts'');';
