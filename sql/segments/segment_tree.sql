-- The trees of the published runs that have one.
create view segment_tree as
select
    p.segmentation,
    t.node_id,
    t.parent_id,
    t.height,
    t.users,
    t.segment_id,
    s.name as segment
from segmentations p
join run_tree t on t.run_id = p.published_run_id
left join segments s on (s.segmentation, s.segment_id) = (p.segmentation, t.segment_id);

comment on view segment_tree is
'How the small clusters of an agglomerative segmentation were merged, up to one root: what a dendrogram is drawn from.
Example: select count(*) from segment_tree where segmentation = ''interests'' and height = 0;';
comment on column segment_tree.segmentation is 'The segmentation.';
comment on column segment_tree.node_id is 'The node: the leaves are small clusters of users.';
comment on column segment_tree.parent_id is 'The node it was merged into; null at the root.';
comment on column segment_tree.height is 'The distance at which its parts were merged; 0 at a leaf.';
comment on column segment_tree.users is 'How many users are below it.';
comment on column segment_tree.segment_id is 'The segment all of them are in; null above the cut.';
comment on column segment_tree.segment is 'Its name.';
