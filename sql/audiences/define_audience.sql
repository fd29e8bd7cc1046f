-- The definition of an audience, as data.
create function define_audience(
    search text default null,
    away_from text default null,
    mode text default null,
    breadth double precision default null,
    evidence_weight double precision default null,
    padded boolean default null,
    min_entries bigint default null,
    like_users text[] default null,
    like_audience text default null,
    unlike text[] default null,
    centered boolean default null,
    segmentation text default null,
    segments bigint[] default null,
    filter jsonb default null,
    all_of text[] default null,
    any_of text[] default null,
    none_of text[] default null,
    size bigint default null,
    share double precision default null,
    min_score double precision default null,
    keep double precision default null,
    judgements_of text default null
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _definition jsonb := jsonb_build_object(
        'search', normalize_text(define_audience.search),
        'away_from', normalize_text(define_audience.away_from),
        'mode', define_audience.mode,
        'breadth', define_audience.breadth,
        'evidence_weight', define_audience.evidence_weight,
        'padded', define_audience.padded,
        'min_entries', define_audience.min_entries,
        'like_users', define_audience.like_users,
        'like_audience', define_audience.like_audience,
        'unlike', define_audience.unlike,
        'centered', define_audience.centered,
        'segmentation', define_audience.segmentation,
        'segments', define_audience.segments,
        'filter', define_audience.filter,
        'all_of', define_audience.all_of,
        'any_of', define_audience.any_of,
        'none_of', define_audience.none_of,
        'size', define_audience.size,
        'share', define_audience.share,
        'min_score', define_audience.min_score,
        'keep', define_audience.keep,
        'judgements_of', define_audience.judgements_of
    );
begin
    select coalesce(jsonb_object_agg(p.key, p.value), '{}') into _definition
    from jsonb_each(_definition) p
    where p.value <> 'null';

    perform check_audience(_definition);
    return _definition;
end
$$;

comment on function define_audience(
    text, text, text, double precision, double precision, boolean, bigint, text[], text, text[], boolean, text,
    bigint[], jsonb, text[], text[], text[], bigint, double precision, double precision, double precision, text
) is
'The definition of an audience out of the arguments of save_audience, checked.
Example: select define_audience(search => ''ski enthusiasts'', size => 3);';
