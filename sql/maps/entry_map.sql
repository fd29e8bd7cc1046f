-- Where the entries lie on the maps, also those that came after a map was made: see user_map.
create view entry_map as
select
    e.entry_key,
    e.entry,
    m.method,
    m.segmentation,
    place_on_axis(v.embedding, m.average, x.direction, x.origin) as x,
    place_on_axis(v.embedding, m.average, y.direction, y.origin) as y,
    place_on_axis(v.embedding, m.average, z.direction, z.origin) as z
from maps m
join map_vectors x on (x.map_id, x.axis) = (m.map_id, 1)
join map_vectors y on (y.map_id, y.axis) = (m.map_id, 2)
left join map_vectors z on (z.map_id, z.axis) = (m.map_id, 3)
cross join entry_vectors v
join entries e using (entry_key)
where m.relation = 'entries' and (m.average is null or v.embedding <-> m.average > 1e-4)
union all
select
    e.entry_key,
    e.entry,
    m.method,
    m.segmentation,
    p.x,
    p.y,
    null
from maps m
join entry_places p using (map_id)
join entries e using (entry_key)
union all
select
    v.entry_key,
    e.entry,
    m.method,
    m.segmentation,
    n.x,
    n.y,
    null
from maps m
cross join entry_vectors v
join entries e using (entry_key)
cross join lateral (
    select avg(near.x) as x, avg(near.y) as y
    from (
        select p.x, p.y
        from entry_places p
        join entry_vectors f using (entry_key)
        where p.map_id = m.map_id and p.is_fitted
        order by f.embedding <=> v.embedding
        limit 5
    ) near
) n
where m.relation = 'entries' and m.method = 'tsne'
    and not exists (select from entry_places p where (p.entry_key, p.map_id) = (v.entry_key, m.map_id));

comment on view entry_map is
'Where each entry lies on the maps of entries, computed as you read it; pgaudience map --of entries makes a map.
Example: select entry, x, y from entry_map where method = ''pca'';';
comment on column entry_map.entry_key is 'The entry.';
comment on column entry_map.entry is 'The text.';
comment on column entry_map.method is 'pca, centres or tsne: which map.';
comment on column entry_map.segmentation is 'Of centres: whose segments.';
comment on column entry_map.x is 'The place along the first axis; 0 is the mean.';
comment on column entry_map.y is 'The place along the second axis.';
comment on column entry_map.z is 'The place along the third axis; null on a map of two dimensions.';
