-- Where the users of the segments lie on a map, for BI tools: on the plane of the segments' centres where there is one,
-- which shows them best, else on that of greatest variance. Of two views of that name, segments is the one of this
-- schema.
create view segment_map as
with shown as materialized (
    select s.segmentation, s.segment_id, s.name, s.label
    from segments s
),
chosen as materialized (
    select distinct on (s.segmentation) s.segmentation, m.map_id, m.method, m.average
    from shown s
    join maps m on coalesce(m.segmentation, s.segmentation) = s.segmentation
    where m.relation = 'users' and m.method in ('centres', 'pca')
    order by s.segmentation, m.segmentation is null
)
select
    s.segmentation,
    s.segment_id,
    s.name as segment,
    s.label,
    v.user_id,
    c.method,
    place_on_axis(v.embedding, c.average, x.direction, x.origin) as x,
    place_on_axis(v.embedding, c.average, y.direction, y.origin) as y
from shown s
join chosen c using (segmentation)
join map_vectors x on (x.map_id, x.axis) = (c.map_id, 1)
join map_vectors y on (y.map_id, y.axis) = (c.map_id, 2)
join segmentations p using (segmentation)
join segment_assignments a on (a.run_id, a.segment_id) = (p.published_run_id, s.segment_id)
join user_vectors v using (user_key)
where c.average is null or v.embedding <-> c.average > 1e-4;

comment on view segment_map is
'Where the users of each segment lie on a map of its segmentation, for a scatter plot in the colours of the segments.
Example: select label, x, y from audience_bi.segment_map where segmentation = ''interests'';';
comment on column segment_map.segmentation is 'The segmentation.';
comment on column segment_map.segment_id is 'The segment.';
comment on column segment_map.segment is 'Its name.';
comment on column segment_map.label is 'The name in at most 25 characters.';
comment on column segment_map.user_id is 'The user.';
comment on column segment_map.method is 'Which map: centres where pgaudience map has made one of them, else pca.';
comment on column segment_map.x is 'The place along the first axis.';
comment on column segment_map.y is 'The place along the second axis.';
