-- Where the users lie on the maps, for BI tools: no keys, no vectors.
create view user_map as
select
    m.user_id,
    m.method,
    m.segmentation,
    m.x,
    m.y,
    m.z
from user_map m;

comment on view user_map is
'Where each user lies on the maps, for a scatter plot: keep to one method, and one segmentation.
Example: select user_id, x, y from audience_bi.user_map where method = ''pca'';';
comment on column user_map.user_id is 'The user.';
comment on column user_map.method is 'pca, centres, tsne or mca: which map.';
comment on column user_map.segmentation is 'Of centres: whose segments.';
comment on column user_map.x is 'The place along the first axis; 0 is the mean.';
comment on column user_map.y is 'The place along the second axis.';
comment on column user_map.z is 'The place along the third axis; null on a map of two dimensions.';
