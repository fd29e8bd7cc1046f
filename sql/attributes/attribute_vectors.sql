-- Vectors of the values of an attribute of entries: a department, a brand, a session.
create function attribute_vectors(
    attribute text
)
returns table (
    value text,
    entries bigint,
    users bigint,
    frequency double precision,
    embedding vector
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_entry_attribute(attribute_vectors.attribute);

    return query
    with weights as (
        select a.entry_key, sum(a.weight) as weight, sum(a.frequency) as frequency
        from weighted_activity a
        group by a.entry_key
    ),
    valued as materialized (
        select e.entry_key, v.value #>> '{}' as value
        from entries e
        cross join lateral jsonb_path_query(e.attributes -> attribute_vectors.attribute, '$[*]') v (value)
        where jsonb_typeof(v.value) in ('string', 'number', 'boolean')
    ),
    counted as (
        select d.value, count(distinct a.user_key) as users
        from valued d
        join activity a using (entry_key)
        group by d.value
    )
    select s.value, s.entries, c.users, s.frequency, l2_normalize(s.direction)
    from (
        select
            d.value,
            count(*) as entries,
            sum(w.frequency) as frequency,
            sum(w.weight) as weight,
            sum(scale(v.embedding, w.weight)) as direction
        from valued d
        join weights w using (entry_key)
        join entry_vectors v using (entry_key)
        group by d.value
    ) s
    join counted c using (value)
    where not cancels_out(s.direction, s.weight)
    order by s.value;
end
$$;

comment on function attribute_vectors(text) is
'The vector of each value that an attribute of entries has, a department or a brand: the mean of its entries, weighted
by what users have of them, at unit length. entries are those with a vector that somebody has. Compare values with each
other or with embed(), or search users and entries by their vectors.
Example: select value, entries, users from attribute_vectors(''category'');';
