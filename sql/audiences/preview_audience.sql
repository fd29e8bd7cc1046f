-- What an audience would be, before it is saved.
create function preview_audience(
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
returns table (
    members bigint,
    candidates bigint,
    with_evidence bigint,
    highest_score double precision,
    upper_quartile double precision,
    median_score double precision,
    lower_quartile double precision,
    lowest_score double precision,
    borderline text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _shown constant bigint := 3;
    _definition constant jsonb := define_audience(
        search => preview_audience.search,
        away_from => preview_audience.away_from,
        mode => preview_audience.mode,
        breadth => preview_audience.breadth,
        evidence_weight => preview_audience.evidence_weight,
        padded => preview_audience.padded,
        min_entries => preview_audience.min_entries,
        like_users => preview_audience.like_users,
        like_audience => preview_audience.like_audience,
        unlike => preview_audience.unlike,
        centered => preview_audience.centered,
        segmentation => preview_audience.segmentation,
        segments => preview_audience.segments,
        filter => preview_audience.filter,
        all_of => preview_audience.all_of,
        any_of => preview_audience.any_of,
        none_of => preview_audience.none_of,
        size => preview_audience.size,
        share => preview_audience.share,
        min_score => preview_audience.min_score,
        keep => preview_audience.keep,
        judgements_of => preview_audience.judgements_of
    );
begin
    if preview_audience.judgements_of is not null then
        perform check_foundations(jsonb_build_object('any_of', array[preview_audience.judgements_of]));
    end if;

    return query
    with picked as materialized (
        select p.user_id, p.rank, p.score, p.reasons, p.is_member
        from pick_members(_definition, beyond => _shown) p
    ),
    totals as (
        select
            count(*) as members,
            max(p.rank) as last,
            max(p.score) as highest,
            percentile_cont(array[0.75, 0.5, 0.25]) within group (order by p.score) as quartiles,
            min(p.score) as lowest
        from picked p
        where p.is_member
    )
    select
        t.members,
        (select count(*) from admissible_users(_definition)),
        count_evidence(_definition),
        t.highest,
        t.quartiles[1],
        t.quartiles[2],
        t.quartiles[3],
        t.lowest,
        array(
            select concat(
                case when p.is_member then 'in' else 'out' end,
                ', rank ' || p.rank,
                ', score ' || round(p.score::numeric, 3),
                ': ' || p.user_id,
                ': ' || nullif(array_to_string(p.reasons, '; '), '')
            )
            from picked p
            where p.rank > coalesce(t.last, 0) - _shown and t.highest is not null
            order by p.rank
        )
    from totals t;
end
$$;

comment on function preview_audience(
    text, text, text, double precision, double precision, boolean, bigint, text[], text, text[], boolean, text,
    bigint[], jsonb, text[], text[], text[], bigint, double precision, double precision, double precision, text
) is
'What save_audience with the same arguments would save, as of now: how many members, out of how many candidates who
satisfy the filter and all other conditions; how many of these have any entry that is evidence for the search; how the
scores of the members are distributed; and, where something ranks, the last three in and the first three out, in words.
judgements_of names the audience whose judged users sharpen the search, as use_judgements does in save_audience.
Example: select members, with_evidence, median_score, borderline from preview_audience(search => ''ski enthusiasts'', size => 3);';
