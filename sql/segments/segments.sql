-- The segments of the published runs. A name given by a person, or by a chat model, comes before the
-- one made from entries. Two segments have no label in common.
--
-- Labels are joined from the left, a row for a segment: who does not read them does not pay for them, and the planner
-- knows how many segments there are, which those who join their users rely on.
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
    l.label,
    d.sentence as description,
    s.has_theme
from segmentations p
join segmentation_runs r on r.run_id = p.published_run_id
join run_segments s on s.run_id = p.published_run_id
left join segment_names n on n.segmentation = p.segmentation and n.segment_id = s.segment_id
left join (
    select distinct on (c.run_id, c.segment_id)
        c.run_id,
        c.segment_id,
        case
            when count(*) over (partition by c.run_id, lower_case(c.label)) = 1 then c.label
            else left(c.label, 24 - length(c.segment_id::text)) || ' ' || c.segment_id
        end as label
    from (
        select x.run_id, x.segment_id, short_label(coalesce(m.name, x.name)) as label
        from segmentations q
        join run_segments x on x.run_id = q.published_run_id
        left join segment_names m on m.segmentation = q.segmentation and m.segment_id = x.segment_id
    ) c
) l on l.run_id = s.run_id and l.segment_id = s.segment_id
left join segment_descriptions d
    on d.segmentation = p.segmentation and d.segment_id = s.segment_id and d.rank = 1;

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
comment on column segments.has_theme is
'Whether anything sets it apart from all others; if not, it is called after what is commonest in it.';
