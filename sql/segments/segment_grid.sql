-- How common the foremost entries of all segments are in each of them, as published: no cell of the table is missing.
create view segment_grid as
-- Whoever asks for one segmentation has only that one counted: it is in each partition and group, and nothing is
-- materialized.
with foremost as not materialized (
    select x.segmentation, x.run_id, x.entry_key, min(x.place) as rank
    from (
        select
            p.segmentation,
            r.run_id,
            r.entry_key,
            row_number() over (
                partition by p.segmentation, r.segment_id order by r.z_score desc, r.entry_key
            ) as place
        from segmentations p
        join run_entries r on r.run_id = p.published_run_id
    ) x
    where x.place <= 20
    group by x.segmentation, x.run_id, x.entry_key
),
counts as (
    select f.segmentation, f.entry_key, a.segment_id, count(*) as users
    from foremost f
    join activity c using (entry_key)
    join segment_assignments a on (a.run_id, a.user_key) = (f.run_id, c.user_key)
    group by f.segmentation, f.entry_key, a.segment_id
)
select
    g.segmentation,
    g.segment_id,
    g.segment,
    g.entry,
    g.users,
    g.share,
    g.overall_share,
    g.share / nullif(g.overall_share, 0) as lift,
    g.rank
from (
    select
        f.segmentation,
        s.segment_id,
        s.name as segment,
        e.entry,
        f.rank,
        coalesce(c.users, 0) as users,
        coalesce(c.users, 0)::double precision / s.users as share,
        sum(c.users) over entry::double precision / sum(s.users) over entry as overall_share
    from foremost f
    join segments s using (segmentation)
    join entries e using (entry_key)
    left join counts c using (segmentation, entry_key, segment_id)
    window entry as (partition by f.segmentation, f.entry_key)
) g;

comment on view segment_grid is
'The twenty entries that set each segment apart the most, in every segment: a heat table without gaps.
Example: select entry, segment, lift from segment_grid where segmentation = ''interests'' order by entry, segment_id;';
comment on column segment_grid.segmentation is 'The segmentation.';
comment on column segment_grid.segment_id is 'The segment.';
comment on column segment_grid.segment is 'Its name.';
comment on column segment_grid.entry is 'The text.';
comment on column segment_grid.users is 'How many users of the segment have it; 0 where nobody does.';
comment on column segment_grid.share is 'Their share of the segment''s users, 0 to 1.';
comment on column segment_grid.overall_share is 'The share of all users in segments who have it, 0 to 1.';
comment on column segment_grid.lift is 'How many times the overall share that is.';
comment on column segment_grid.rank is
'1 for an entry that sets some segment apart the most, 2 for the next one of a segment, and so on to 20.';
