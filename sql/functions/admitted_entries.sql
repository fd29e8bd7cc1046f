-- The entries that are evidence for a query: clearly more similar to it than entries usually are.
create function admitted_entries(
    query vector
)
returns table (
    entry_key bigint,
    similarity double precision,
    excess double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _most constant bigint := 500;
    _deviations constant double precision := 1.5;
    _noise constant double precision := 1e-6;
    _keys bigint[];
    _similarities double precision[];
    _threshold double precision;
begin
    select array_agg(n.entry_key), array_agg(n.similarity) into _keys, _similarities
    from nearest_entries(admitted_entries.query, _most + 1) n;

    select
        greatest(
            avg(s.similarity order by s.entry_key)
                + _deviations * stddev_pop(s.similarity order by s.entry_key)
                + _noise,
            _similarities[_most + 1]
        )
    into _threshold
    from (select s.entry_key, 1 - (s.embedding <=> admitted_entries.query) as similarity from entry_sample s) s;

    return query
    select n.entry_key, n.similarity, n.similarity - _threshold
    from unnest(_keys, _similarities) n (entry_key, similarity)
    where n.similarity > _threshold;
end
$$;

comment on function admitted_entries(vector) is
'The entries that are evidence for a query, at most 500, and their excess: how far their similarity is above the threshold,
which is the mean similarity of entry_sample plus 1.5 standard deviations, or that of the 501st best entry if it is higher.
Example: select entry, excess from admitted_entries(embed(''ski enthusiasts'')) join entries using (entry_key);';
