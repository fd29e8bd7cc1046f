-- What the members of an audience are computed from: as long as it is the same, so are they.
--
-- Users are counted with the sum of their hashed keys, which tells apart who satisfies the filter now and then.
create function audience_inputs(
    definition jsonb
)
returns jsonb
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    _foundations constant text[] := audience_foundations(audience_inputs.definition);
    _p record;
    _data jsonb;
begin
    select * into _p
    from audience_parts(audience_inputs.definition);

    select jsonb_build_object(
        'refreshed_at', s.refreshed_at,
        'breadth', s.breadth,
        'evidence_weight', s.evidence_weight,
        'audiences', (
            select jsonb_object_agg(a.audience, a.refreshed_at)
            from audiences a
            where a.audience = any (_foundations)
        ),
        'run', (
            select g.published_run_id from segmentations g where g.segmentation = _p.segmentation
        ),
        'texts', (
            select jsonb_agg(jsonb_build_array(
                query_source(t.text),
                coalesce(
                    (select q.embedded_at from queries q where text_hash(q.query) = text_hash(t.text)),
                    s.distilled_at
                )
            ))
            from unnest(array[_p.search, _p.away_from]) t (text)
            where t.text is not null
        )
    )
    into _data
    from space s;

    if not audience_inputs.definition ?| array[
            'search', 'like_users', 'like_audience', 'segmentation', 'all_of', 'any_of'
        ]
        or _p.filter <> '{}' then
        _data := _data || (
            select jsonb_build_object('users', count(*), 'sum', sum(hashint8extended(u.user_key, 0)))
            from users u
            where _p.filter = '{}' or u.attributes @> (select stored_filter(_p.filter))
        );
    end if;

    if _p.judgements_of is not null then
        _data := _data || (
            select jsonb_build_object(
                'judged', md5(string_agg(format('%L %s', j.user_id, j.belongs), ' ' order by j.user_id))
            )
            from audience_judgements j
            where j.audience = _p.judgements_of
        );
    end if;

    return jsonb_build_object(
        'data', _data,
        'definitions', (
            select jsonb_object_agg(a.audience, md5(a.definition::text))
            from audiences a
            where a.audience = any (_foundations)
        ),
        'definition', md5(audience_inputs.definition::text)
    );
end
$$;

comment on function audience_inputs(jsonb) is
'Internal. What the members of an audience of this definition would be computed from now: when the space was refreshed
and its policies, the vectors of the texts, the published run, who satisfies the filter, who was judged, and the
audiences it stands on with their definitions. An audience is stale when this is not what stands in audiences.inputs.
Example: select audience_inputs(''{"search": "ski enthusiasts", "size": 3}'') -> ''data'' -> ''texts'';';
