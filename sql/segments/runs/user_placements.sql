-- The query that places vectors in segments: by the nearest prototype, of which a segment has one or several.
--
-- Where a prototype is the centroid of its segment, as those of k-means are, its distance has the similarity in it:
-- d = |c|²/2 - x·c.
create function user_placements(
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
                select c.user_key, $5[c.cluster] as segment, %s
                from (%s) c
                offset bigint ''0''
            ) s
            where s.segment is not null
            offset bigint ''0''
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

comment on function user_placements(text, bigint, bigint[]) is
'Internal. The text of a query that places every row of points, a query with user_key and embedding: segment, its
similarity, and the runner_up with its own, next. For every segment segment_prototypes has the number of the prototype
that is its centroid, null if none is. It is run with $1 and $2 of nearest_centroids for the prototypes, the segment of
each prototype as $5 (null: none), the centroids of the segments, at unit length, as $6, and their lengths as $7.
Example: select user_placements(''select * from user_vectors'', prototypes => 2, segment_prototypes => ''{1, 2}'');';
