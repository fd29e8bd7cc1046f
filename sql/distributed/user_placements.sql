-- The query that places vectors in segments, as every machine can answer it for its own: see nearest_centroids.
create or replace function user_placements(
    points text,
    prototypes bigint,
    segment_prototypes bigint[]
)
returns text
language sql
immutable
parallel safe
begin atomic
    select format(
        'select r.user_key, r.segment, r.similarity, r.next, case r.next %s end as runner_up
        from (
            select s.*, case s.segment %s end as similarity, greatest(%s) as next
            from (
                select c.user_key, $5[c.cluster] as segment, %s, generate_series(1, 1) as once
                from (%s) c
            ) s
            where s.segment is not null
        ) r',
        string_agg(format('when case when r.segment <> %1$s then r.s%1$s end then %1$s', s), ' ' order by s),
        string_agg(format('when %1$s then s.s%1$s', s), ' ' order by s),
        string_agg(format('case when s.segment <> %1$s then s.s%1$s end', s), ', ' order by s),
        string_agg(
            format(
                case
                    when p is null then '-(c.embedding <#> $6[%1$s]) as s%1$s'
                    else '($2[%2$s] - c.d%2$s) / $7[%1$s] as s%1$s'
                end,
                s,
                p
            ),
            ', ' order by s
        ),
        nearest_centroids(user_placements.points, user_placements.prototypes)
    )
    from unnest(user_placements.segment_prototypes) with ordinality u (p, s);
end;
