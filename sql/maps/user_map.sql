-- Where the users lie on the maps, also those who came after a map was made: on one of axes by an inner product, on one
-- without beside the nearest who were arranged, on one of categories between those they have.
create view user_map as
select
    v.user_key,
    v.user_id,
    m.method,
    m.segmentation,
    place_on_axis(v.embedding, m.average, x.direction, x.origin) as x,
    place_on_axis(v.embedding, m.average, y.direction, y.origin) as y,
    place_on_axis(v.embedding, m.average, z.direction, z.origin) as z
from maps m
join map_vectors x on (x.map_id, x.axis) = (m.map_id, 1)
join map_vectors y on (y.map_id, y.axis) = (m.map_id, 2)
left join map_vectors z on (z.map_id, z.axis) = (m.map_id, 3)
cross join user_vectors v
where m.relation = 'users' and (m.average is null or v.embedding <-> m.average > 1e-4)
union all
select
    v.user_key,
    v.user_id,
    m.method,
    m.segmentation,
    p.x,
    p.y,
    null
from maps m
join user_places p using (map_id)
join user_vectors v using (user_key)
union all
select
    v.user_key,
    v.user_id,
    m.method,
    m.segmentation,
    n.x,
    n.y,
    null
from maps m
cross join centered_user_vectors v
cross join lateral (
    select avg(near.x) as x, avg(near.y) as y
    from (
        select p.x, p.y
        from user_places p
        join centered_user_vectors f using (user_key)
        where p.map_id = m.map_id and p.is_fitted
        order by f.embedding <=> v.embedding
        limit 5
    ) near
) n
where m.relation = 'users' and m.method = 'tsne'
    and not exists (select from user_places p where (p.user_key, p.map_id) = (v.user_key, m.map_id))
union all
select
    u.user_key,
    u.user_id,
    c.method,
    c.segmentation,
    c.x / sqrt(c.inertia[1]),
    c.y / sqrt(c.inertia[2]),
    c.z / sqrt(c.inertia[3])
from (
    select v.user_key, m.method, m.segmentation, m.inertia, avg(g.x) as x, avg(g.y) as y, avg(g.z) as z
    from maps m
    join map_categories g using (map_id)
    join attribute_values v on v.attribute = g.attribute and v.value = g.value and v.number is null
    where m.method = 'mca'
    group by v.user_key, m.map_id
) c
join users u using (user_key);

comment on view user_map is
'Where each user lies on the maps of users, computed as you read it from user_vectors; pgaudience map makes a map.
Example: select user_id, x, y from user_map where method = ''pca'';';
comment on column user_map.user_key is 'The user.';
comment on column user_map.user_id is 'The id your own systems use.';
comment on column user_map.method is 'pca, centres, tsne or mca: which map.';
comment on column user_map.segmentation is 'Of centres: whose segments.';
comment on column user_map.x is 'The place along the first axis; 0 is the mean.';
comment on column user_map.y is 'The place along the second axis.';
comment on column user_map.z is 'The place along the third axis; null on a map of two dimensions.';
