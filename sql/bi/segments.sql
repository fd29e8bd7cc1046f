-- The segments, for BI tools, without those of fewer users than segmentations.suppress_below. The other views of
-- segments here ask this one what may be shown: of two views of that name, theirs is the one of this schema.
create view segments as
select s.*
from segments s
join segmentations p using (segmentation)
where s.users >= p.suppress_below;

comment on view segments is
'The segments of every segmentation, as published; those of very few users are hidden.
Example: select name, users, share from audience_bi.segments where segmentation = ''interests'' order by users desc;';
comment on column segments.segmentation is 'The segmentation.';
comment on column segments.segment_id is 'Its number, which it keeps when the segmentation is built again.';
comment on column segments.name is
'What rename_segment called it, or pgaudience describe, else what its most distinctive entries do.';
comment on column segments.keywords is 'The words that set it apart, most distinctive first.';
comment on column segments.users is 'How many users are in it.';
comment on column segments.share is 'Their share of all users in segments, 0 to 1.';
comment on column segments.cohesion is 'The mean cosine of its users to its centroid, -1 to 1: how alike they are.';
comment on column segments.silhouette is 'The mean silhouette of its users, -1 to 1: how far it is from the others.';
comment on column segments.nearest_segment_id is 'The segment whose centroid is nearest.';
comment on column segments.created_at is 'When the published run was built.';
comment on column segments.label is
'The name in at most 25 characters, for charts; no two of a segmentation are alike.';
comment on column segments.description is 'What it is, in a sentence of a chat model: see pgaudience describe.';
comment on column segments.has_theme is
'Whether anything sets it apart from all others; if not, it is called after what is commonest in it.';
