-- The best phrases of each segment of a run, and how many of its users have them: those who have one of their entries.
create function segment_keywords(
    run_id bigint
)
returns table (
    segment_id bigint,
    phrase text,
    score double precision,
    share double precision,
    lift double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _phrases constant bigint := 20;
    _all_users constant double precision := (
        select r.users from segmentation_runs r where r.run_id = segment_keywords.run_id
    );
begin
    return query
    with phrases as materialized (
        select p.*
        from (
            select
                p.*,
                row_number() over (partition by p.segment_id order by p.score desc, p.phrase collate "C") as place
            from segment_phrases(segment_keywords.run_id) p
            where p.score > 0
        ) p
        where p.place <= _phrases
    ),
    shared as (
        select
            p.segment_id,
            p.place,
            count(distinct m.user_key) filter (where m.segment_id = p.segment_id) as users,
            count(distinct m.user_key) as all_users
        from phrases p
        cross join unnest(p.entry_keys) u (entry_key)
        join activity a using (entry_key)
        join segment_assignments m using (user_key)
        where m.run_id = segment_keywords.run_id and cardinality(p.entry_keys) > 1
        group by p.segment_id, p.place
    )
    select
        p.segment_id,
        p.phrase,
        p.score,
        coalesce(x.share, h.users::double precision / s.users),
        coalesce(x.lift, h.users::double precision / s.users / (h.all_users / _all_users))
    from phrases p
    join run_segments s on (s.run_id, s.segment_id) = (segment_keywords.run_id, p.segment_id)
    left join shared h on (h.segment_id, h.place) = (p.segment_id, p.place)
    left join run_entries x
        on (x.run_id, x.segment_id, x.entry_key) = (segment_keywords.run_id, p.segment_id, p.entry_keys[1])
        and cardinality(p.entry_keys) = 1
    order by p.segment_id, p.place;
end
$$;

comment on function segment_keywords(bigint) is
'Internal. The twenty best phrases of each segment of a run, best first, with the share of its users who have an entry
of the phrase, 0 to 1, and how many times the share of all users in segments that is.
Example: select segment_id, phrase, share, lift from segment_keywords(1) limit 10;';
