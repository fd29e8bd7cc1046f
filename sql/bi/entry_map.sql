-- Where the entries lie on the maps, for BI tools: no keys, no vectors.
create view entry_map as
select
    m.entry,
    coalesce(s.users, 0) as users,
    m.method,
    m.segmentation,
    m.x,
    m.y,
    m.z
from entry_map m
left join entry_stats s using (entry_key);

comment on view entry_map is
'Where each entry lies on the maps, for a scatter plot: keep to one method, and one segmentation.
Example: select entry, x, y from audience_bi.entry_map where method = ''pca'';';
comment on column entry_map.entry is 'The text.';
comment on column entry_map.users is 'How many users have it.';
comment on column entry_map.method is 'pca, centres or tsne: which map.';
comment on column entry_map.segmentation is 'Of centres: whose segments.';
comment on column entry_map.x is 'The place along the first axis; 0 is the mean.';
comment on column entry_map.y is 'The place along the second axis.';
comment on column entry_map.z is 'The place along the third axis; null on a map of two dimensions.';
