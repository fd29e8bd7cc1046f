-- What readers of this space would miss if it had the model of another one over the same people, which is to be mended
-- there before.
create function swap_hindrances(
    with_space text
)
returns table (
    hindrance text,
    mend text
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    return query execute format(
        'select h.hindrance, format(''pgaudience --schema %%I %%s'', $1, h.mend)
        from (
            select 1, ''its user vectors are out of date'', ''refresh --all''
            from %1$I.status t
            where t.stale
            union all
            select
                2,
                format(''%%s entries that have a vector here have none there'', count(*)),
                case when s.model in (select * from unnest($2)) then ''train'' else ''embed'' end
            from entry_vectors v
            cross join %1$I.space s
            where not exists (select from %1$I.entry_vectors o where o.entry_key = v.entry_key)
                and not exists (select from %1$I.entry_failures f where f.entry_key = v.entry_key)
            group by s.model
            union all
            select
                3,
                format(''the segmentation %%L is not built there'', s.segmentation),
                format(''segment %%L'', s.segmentation)
            from segmentations s
            left join %1$I.segmentations o using (segmentation)
            where s.published_run_id is not null and o.published_run_id is null
            union all
            select 4, format(''%%s has an index of vectors here'', r.relation), ''index''
            from (values (''entry_vectors''), (''user_vectors''), (''centered_user_vectors'')) r (relation)
            where has_vector_index(r.relation) and not %1$I.has_vector_index(r.relation)
            union all
            select
                5,
                format(''the map of %%s by %%s is not made there'', m.relation, m.method),
                concat(
                    format(''map --of %%s --method %%s'', m.relation, m.method),
                    '' --segmentation '' || quote_literal(m.segmentation)
                )
            from maps m
            where not exists (
                select
                from %1$I.maps o
                where o.relation = m.relation
                    and o.method = m.method
                    and o.segmentation is not distinct from m.segmentation
            )
        ) h (place, hindrance, mend)
        order by h.place, h.hindrance',
        swap_hindrances.with_space
    )
    using swap_hindrances.with_space, array['behaviour', 'blend', 'attributes', 'vectors', 'tfidf'];
end
$$;

comment on function swap_hindrances(text) is
'Internal. What readers would miss if this space had the model of another one over the same people, and the commands
that mend it there; none if it is ready for pgaudience swap.
Example: select * from swap_hindrances(current_schema());';
