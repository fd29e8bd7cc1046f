-- How well the vectors of entries separate what is known of the entries.
create function entry_label_silhouette(
    label text default null,
    sample_size bigint default 1000
)
returns table (
    value text,
    entries bigint,
    silhouette double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _values text[];
    _embeddings vector[];
begin
    perform check_sample(entry_label_silhouette.sample_size);

    select array_agg(s.value order by s.entry_key), array_agg(v.embedding order by s.entry_key)
    into _values, _embeddings
    from (
        select l.entry_key, l.value
        from (
            select e.entry_key, e.attributes ->> entry_label_silhouette.label as value
            from entries e
            where entry_label_silhouette.label is not null
            union all
            select o.entry_key, u.user_id
            from (
                select a.entry_key, min(a.user_key) as user_key
                from activity a
                where entry_label_silhouette.label is null
                group by a.entry_key
                having count(*) = 1
            ) o
            join users u using (user_key)
        ) l
        where l.value is not null
            and exists (select from entry_vectors v where v.entry_key = l.entry_key)
        order by hashint8extended(l.entry_key, 0), l.entry_key
        limit entry_label_silhouette.sample_size
    ) s
    join entry_vectors v using (entry_key);

    if _values is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = case
                when entry_label_silhouette.label is null then 'no entry with a vector is of one user alone'
                else format('no entry with a vector has an attribute %L', entry_label_silhouette.label)
            end,
            hint = coalesce(
                (
                    select 'There are: ' || string_agg(distinct k.key, ', ' order by k.key)
                    from entries e
                    join entry_vectors v using (entry_key)
                    cross join jsonb_object_keys(e.attributes) k (key)
                ),
                'For example: update entries set attributes = ''{"category": "sports"}'' where entry ~* ''ski'';'
            );
    end if;

    return query
    select m.value, count(*), avg(m.silhouette)
    from (
        select array_agg(dense_rank order by place) as clusters
        from (
            select dense_rank() over (order by u.value), u.place
            from unnest(_values) with ordinality u (value, place)
        ) u
    ) c
    cross join judge_clusters(_embeddings, c.clusters, distance_rows(_embeddings, 'cosine')) j
    cross join unnest(_values, j.silhouettes) m (value, silhouette)
    group by rollup (m.value)
    order by m.value nulls first;
end
$$;

comment on function entry_label_silhouette(text, bigint) is
'How well the vectors of entries separate an attribute of theirs: the mean silhouette by cosine distance (1 best, about
0 if they do not separate it) of a random sample of the entries that have it, always the same; a row of all with value
null, then one a value. entries is how many of the sample have the value. Without a label it is the user, of
entries that one user alone has: do these tell people apart, as rows and sequences that were loaded as texts may?
Example: select * from entry_label_silhouette(''category'');';
