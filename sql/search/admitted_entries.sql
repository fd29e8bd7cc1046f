-- The entries that are evidence for a query: clearly more similar to it than entries usually are.
--
-- A query is few words, in the language of whoever asks. So it is moved towards the entries that say it best, if any
-- stand out (pseudo-relevance feedback: Rocchio, 1971), and away from what all entries have in common.
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
    _constants constant record := search_constants();
    _query vector := l2_normalize(admitted_entries.query);
    _common vector;
    _mean double precision;
    _deviation double precision;
    _example vector;
    _keys bigint[];
    _similarities double precision[];
    _threshold double precision;
begin
    perform check_query(admitted_entries.query);

    select
        avg(s.embedding order by s.entry_key),
        avg(s.similarity order by s.entry_key),
        stddev_pop(s.similarity order by s.entry_key)
    into _common, _mean, _deviation
    from (select s.entry_key, s.embedding, 1 - (s.embedding <=> _query) as similarity from entry_sample s) s;

    if _common is null then
        return;
    end if;

    select l2_normalize(sum(scale(v.embedding, n.similarity - _mean) order by v.entry_key)) into _example
    from nearest_entries(_query, _constants.examples) n
    join entry_vectors v using (entry_key)
    where n.similarity > _mean + _constants.deviations * _deviation + _constants.noise;

    _query := coalesce(l2_normalize(_query + scale(_example, _constants.feedback)), _query)
        - scale(_common, _constants.centering);

    select array_agg(n.entry_key), array_agg(n.similarity) into _keys, _similarities
    from nearest_entries(_query, _constants.most_entries + 1) n;

    select
        greatest(
            avg(s.similarity order by s.entry_key)
                + _constants.deviations * stddev_pop(s.similarity order by s.entry_key)
                + _constants.noise,
            _similarities[_constants.most_entries + 1]
        )
    into _threshold
    from (select s.entry_key, 1 - (s.embedding <=> _query) as similarity from entry_sample s) s;

    return query
    select n.entry_key, n.similarity, n.similarity - _threshold
    from unnest(_keys, _similarities) n (entry_key, similarity)
    where n.similarity > _threshold;
end
$$;

comment on function admitted_entries(vector) is
'Internal. The entries that are evidence for a query, at most 500, and their excess: how far their similarity is above
the threshold, which is the mean similarity of entry_sample plus 1.5 standard deviations, or that of the 501st best
entry if it is higher. The similarity is to the query of unit length, moved: plus half the direction of its ten
nearest entries as far as they are above the threshold, each weighted by its similarity above the mean, less half the
mean vector of entry_sample. search_constants has these numbers.
Example: select entry, excess from admitted_entries(embed(''ski enthusiasts'')) join entries using (entry_key);';
