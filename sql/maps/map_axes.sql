-- What the axes of the maps mean, and how far a map can be trusted.
create view map_axes as
select
    m.relation,
    m.method,
    m.segmentation,
    a.axis,
    a.explained,
    a.explained_of_centres,
    a.top_entries,
    a.bottom_entries,
    m.points,
    m.trustworthiness,
    m.sample_size,
    m.neighbours,
    m.fitted_at,
    null::double precision as explained_adjusted
from maps m
join map_vectors a using (map_id)
union all
select
    m.relation,
    m.method,
    m.segmentation,
    a.axis,
    m.explained[a.axis],
    null,
    c.highest[:least(5, cardinality(c.highest) / 2)],
    c.lowest[:least(5, cardinality(c.lowest) / 2)],
    m.points,
    m.trustworthiness,
    m.sample_size,
    m.neighbours,
    m.fitted_at,
    m.explained_adjusted[a.axis]
from maps m
cross join lateral generate_series(1, cardinality(m.inertia)::bigint) a (axis)
cross join lateral (
    select
        array_agg(p.name order by p.place desc, p.name) as highest,
        array_agg(p.name order by p.place, p.name) as lowest
    from (
        select concat(g.attribute, '=', g.value) as name, case a.axis when 1 then g.x when 2 then g.y else g.z end as place
        from map_categories g
        where g.map_id = m.map_id
    ) p
) c
where m.method = 'mca';

comment on view map_axes is
'What each axis of each map means, in entries, and how much it shows of how users or entries differ.
Example: select axis, explained, top_entries, bottom_entries from map_axes where method = ''pca'' order by axis;';
comment on column map_axes.relation is 'What is drawn: users or entries.';
comment on column map_axes.method is 'pca, centres or mca.';
comment on column map_axes.segmentation is 'Of centres: whose segments.';
comment on column map_axes.axis is '1, 2, 3 for x, y, z.';
comment on column map_axes.explained is 'The share of all variance, of mca of all inertia, that lies along it, 0 to 1.';
comment on column map_axes.explained_of_centres is
'Of centres: the share of the variance of the centres of the segments that lies along it, 0 to 1.';
comment on column map_axes.top_entries is
'Of the thousand commonest entries, of mca of the categories, the five farthest up it.';
comment on column map_axes.bottom_entries is
'Of the thousand commonest entries, of mca of the categories, the five farthest down it.';
comment on column map_axes.points is 'How many users or entries the map was made of.';
comment on column map_axes.trustworthiness is
'How far those who are nearest on the map are near indeed, 0 to 1 (Venna and Kaski 2001), in a sample.';
comment on column map_axes.sample_size is 'How many there were in that sample.';
comment on column map_axes.neighbours is 'How many nearest ones of each were looked at.';
comment on column map_axes.fitted_at is 'When the map was made.';
comment on column map_axes.explained_adjusted is
'Of mca: the share of inertia after the adjustment of Benzécri, 0 to 1, beside which explained is low by nature.';
