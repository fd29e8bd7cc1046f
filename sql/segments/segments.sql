-- The segments of the published runs. A name given by a person, or by a chat model, comes before the
-- one made from entries. Two segments have no label in common.
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
    r.created_at,
    case
        when count(*) over (partition by p.segmentation, lower_case(l.label)) = 1 then l.label
        else left(l.label, 24 - length(s.segment_id::text)) || ' ' || s.segment_id
    end as label,
    d.sentence as description
from segmentations p
join segmentation_runs r on r.run_id = p.published_run_id
join run_segments s on s.run_id = p.published_run_id
left join segment_names n on (n.segmentation, n.segment_id) = (p.segmentation, s.segment_id)
left join segment_descriptions d
    on (d.segmentation, d.segment_id, d.rank) = (p.segmentation, s.segment_id, 1)
cross join lateral short_label(coalesce(n.name, s.name)) l (label);

comment on view segments is
'The segments of every segmentation, as published: what they are called and how large and how tight they are.
Example: select segment_id, name, users, share from segments where segmentation = ''interests'' order by users desc;';
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
