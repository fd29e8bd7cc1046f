-- What a text is found by: entries and queries are unique by it, and indexed. Inlined, it is the expression of the
-- indexes.
create function text_hash(
    text text
)
returns uuid
language sql
immutable
parallel safe
begin atomic
    select md5(text_hash.text)::uuid;
end;

comment on function text_hash(text) is
'Internal. The hash that entries and queries are unique by.
Example: select entry_key from entries where text_hash(entry) = text_hash(''Ski Aspen Colorado United States'');';
