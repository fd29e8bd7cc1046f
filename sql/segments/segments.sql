-- The segments of the published runs. A name given by a person comes before the one made from entries.
create view segments as
select
    p.segmentation,
    s.segment_id,
    coalesce(n.name, s.name) as name,
    s.keywords,
    s.users,
    s.share,
    s.cohesion,
    s.silhouette,
    s.nearest_segment_id,
    r.created_at
from segmentations p
join segmentation_runs r on r.run_id = p.published_run_id
join run_segments s on s.run_id = p.published_run_id
left join segment_names n on (n.segmentation, n.segment_id) = (p.segmentation, s.segment_id);

comment on view segments is
'The segments of every segmentation, as published: what they are called and how large and how tight they are.
Example: select segment_id, name, users, share from segments where segmentation = ''interests'' order by users desc;';
comment on column segments.segmentation is 'The segmentation.';
comment on column segments.segment_id is 'Its number, which it keeps when the segmentation is built again.';
comment on column segments.name is 'What rename_segment called it, else what its most distinctive entries do.';
comment on column segments.keywords is 'The words that set it apart, most distinctive first.';
comment on column segments.users is 'How many users are in it.';
comment on column segments.share is 'Their share of all users in segments, 0 to 1.';
comment on column segments.cohesion is 'The mean cosine of its users to its centroid, -1 to 1: how alike they are.';
comment on column segments.silhouette is 'The mean silhouette of its users, -1 to 1: how far it is from the others.';
comment on column segments.nearest_segment_id is 'The segment whose centroid is nearest.';
comment on column segments.created_at is 'When the published run was built.';
