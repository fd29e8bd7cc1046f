-- The parts of a definition, each with its type, and with its default where it has one.
create function audience_parts(
    definition jsonb
)
returns table (
    search text,
    away_from text,
    mode text,
    breadth double precision,
    evidence_weight double precision,
    padded boolean,
    min_entries bigint,
    like_users text[],
    like_audience text,
    unlike text[],
    centered boolean,
    segmentation text,
    segments bigint[],
    filter jsonb,
    all_of text[],
    any_of text[],
    none_of text[],
    size bigint,
    share double precision,
    min_score double precision,
    keep double precision,
    judgements_of text
)
language sql
immutable
parallel safe
begin atomic
    select
        p.search,
        p.away_from,
        coalesce(p.mode, 'hybrid'),
        p.breadth,
        p.evidence_weight,
        coalesce(p.padded, true),
        coalesce(p.min_entries, 1),
        p.like_users,
        p.like_audience,
        coalesce(p.unlike, '{}'),
        coalesce(p.centered, true),
        p.segmentation,
        coalesce(p.segments, '{}'),
        coalesce(p.filter, '{}'),
        coalesce(p.all_of, '{}'),
        coalesce(p.any_of, '{}'),
        coalesce(p.none_of, '{}'),
        p.size,
        p.share,
        p.min_score,
        coalesce(p.keep, 0),
        p.judgements_of
    from jsonb_to_record(audience_parts.definition) as p (
        search text,
        away_from text,
        mode text,
        breadth double precision,
        evidence_weight double precision,
        padded boolean,
        min_entries bigint,
        like_users text[],
        like_audience text,
        unlike text[],
        centered boolean,
        segmentation text,
        segments bigint[],
        filter jsonb,
        all_of text[],
        any_of text[],
        none_of text[],
        size bigint,
        share double precision,
        min_score double precision,
        keep double precision,
        judgements_of text
    );
end;

comment on function audience_parts(jsonb) is
'Internal. What a definition of an audience says, a column for each argument of save_audience, with the defaults filled
in.
Example: select search, size, keep from audience_parts(''{"search": "ski enthusiasts", "size": 3}'');';
