-- Where a text lies in a learned space: at the entries here that are nearest to it in the space of texts. In a blend it
-- lies in each part as it does there.
--
-- The nearest counts most; one that is a tenth of cosine further, e times less. Of texts of groceries left out in turn,
-- these came closest in rank to where the entry of that text itself lies.
create function place_text(
    query text
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _text_space constant text := text_space();
    _query vector;
    _embedding vector;
    _part text;
    _weight double precision;
begin
    if exists (select from space s where s.model = 'attributes') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no text is like the attributes of users, of which the space %I is made', current_schema()),
            hint = format('Ask the space of texts: select %I.embed(%L);', _text_space, place_text.query);
    end if;

    for _part, _weight in
        select p.part, p.weight
        from space s
        cross join unnest(s.parts, s.part_weights) with ordinality p (part, weight, number)
        order by p.number
    loop
        execute format('select scale(%I.embed($1), $2)', _part) into _query using place_text.query, sqrt(_weight);
        _embedding := case when _embedding is null then _query else _embedding || _query end;
    end loop;

    if _embedding is not null then
        return l2_normalize(_embedding);
    end if;

    execute format('select %I.embed($1)', _text_space) into _query using place_text.query;

    execute format(
        'with nearest as materialized (
            select v.embedding, t.embedding <=> $1 as distance
            from %I.entry_vectors t
            join entry_vectors v using (entry_key)
            order by distance, t.entry_key
            limit 20
        )
        select l2_normalize(sum(scale(n.embedding, exp((d.least - n.distance) / 0.1))))
        from nearest n
        cross join (select min(n.distance) as least from nearest n) d',
        _text_space
    )
    into _embedding
    using _query;

    if _embedding is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no entry has a vector yet in the space %I', current_schema()),
            hint = format(
                'Run, in a shell: pgaudience --schema %I %s',
                current_schema(),
                (select case s.model when 'vectors' then 'load --vectors FILE' else 'train' end from space s)
            );
    end if;

    return _embedding;
end
$$;

comment on function place_text(text) is
'Internal. The vector of a text in a learned space, of unit length: the mean of the entries that are nearest to it in
the space of texts, weighted by how near they are.
Example: select case when text_space() is not null then place_text(''ski enthusiasts'') end;';
