-- Whether a relation of this space has an index that finds nearest vectors, if only nearly.
create function has_vector_index(
    relation text
)
returns boolean
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return exists (
        select
        from pg_index i
        join pg_class c on c.oid = i.indexrelid
        join pg_am m on m.oid = c.relam
        where i.indrelid = to_regclass(quote_ident(has_vector_index.relation))
            and i.indisvalid
            and m.amname in ('hnsw', 'ivfflat')
    );
end
$$;

comment on function has_vector_index(text) is
'Internal. Whether a relation has an HNSW or IVFFlat index; without, the nearest vectors are found by an exact scan in
any case.
Example: select has_vector_index(''user_vectors'');';
