-- Saves an audience: what it is, and who is in it now. Saved again, it is the same audience with another definition.
create procedure save_audience(
    name text,
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
    suppress_below bigint default null,
    use_judgements boolean default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _name constant text := normalize_text(save_audience.name);
    _definition constant jsonb := define_audience(
        search => save_audience.search,
        away_from => save_audience.away_from,
        mode => save_audience.mode,
        breadth => save_audience.breadth,
        evidence_weight => save_audience.evidence_weight,
        padded => save_audience.padded,
        min_entries => save_audience.min_entries,
        like_users => save_audience.like_users,
        like_audience => save_audience.like_audience,
        unlike => save_audience.unlike,
        centered => save_audience.centered,
        segmentation => save_audience.segmentation,
        segments => save_audience.segments,
        filter => save_audience.filter,
        all_of => save_audience.all_of,
        any_of => save_audience.any_of,
        none_of => save_audience.none_of,
        size => save_audience.size,
        share => save_audience.share,
        min_score => save_audience.min_score,
        keep => save_audience.keep,
        judgements_of => case when save_audience.use_judgements then _name end
    );
begin
    if coalesce(_name, '') = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the audience needs a name';
    end if;
    if save_audience.suppress_below < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'suppress_below is a number of members, 0 or more';
    end if;

    perform lock_audiences();

    if _name = any (audience_names(_definition) || audience_foundations(_definition)) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('audience %L would stand on itself', _name);
    end if;

    insert into audiences as a (audience, definition, suppress_below)
    values (_name, _definition, coalesce(save_audience.suppress_below, 0))
    on conflict (audience) do update
    set
        definition = excluded.definition,
        defined_at = case when a.definition = excluded.definition then a.defined_at else excluded.defined_at end,
        suppress_below = coalesce(save_audience.suppress_below, a.suppress_below);

    call update_audience(_name);
end
$$;

comment on procedure save_audience(
    text, text, text, text, double precision, double precision, boolean, bigint, text[], text, text[], boolean, text,
    bigint[], jsonb, text[], text[], text[], bigint, double precision, double precision, double precision, bigint,
    boolean
) is
'Saves an audience under a name, and who is in it, in audience_members. It ranks by a search (away_from: the vector of
this text is taken off; mode, breadth, evidence_weight and padded as of search_users), by likeness to like_users or to
the members of like_audience (unlike: less like the members of these audiences; centered as of lookalikes), by the
similarity to segments, or by the standing in other audiences. It admits who satisfies everything said: filter
(attributes), min_entries, segments of a segmentation, all_of, any_of and none_of other audiences. The best are in: a
number of them (size), a share of all who are admitted, or all with min_score. With keep, 0.2 say, a member leaves only
when ranked behind the cut by more than a fifth of the size, and others enter when before it by as much, or when there
is room. An audience saved again keeps its history, and its members are computed anew. It is hidden from the schema for
BI tools while it has fewer members than suppress_below. With use_judgements a search ranks those higher who are like
the users judged to belong (judge_member) and unlike those judged not to.
Example: call save_audience(''skiers'', search => ''ski enthusiasts'', size => 3);';
