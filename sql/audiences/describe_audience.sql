-- A definition of an audience in words.
--
-- Of those whom its members are to be like, the last may have been forgotten.
create function describe_audience(
    definition jsonb
)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _p record;
begin
    perform check_audience(
        case
            when describe_audience.definition -> 'like_users' = '[]'
                then describe_audience.definition || '{"like_users": ["nobody"]}'
            else describe_audience.definition
        end
    );

    select * into _p
    from audience_parts(describe_audience.definition);

    return concat_ws(
        ', ',
        concat_ws(
            ' ',
            case
                when _p.size is not null then format('the best %s of', _p.size)
                when _p.share is not null then format('the best %s %% of', round((100 * _p.share)::numeric, 6)::real)
                when _p.min_score is not null then format('all with a score of at least %s of', _p.min_score)
                else 'all'
            end,
            case
                when _p.search is not null then format('those who match "%s"', _p.search)
                when _p.like_users = '{}' then 'those like users who were forgotten'
                when _p.like_users is not null then 'those like ' || array_to_string(_p.like_users[:5], ', ')
                    || case
                        when cardinality(_p.like_users) > 5 then format(' and %s more', cardinality(_p.like_users) - 5)
                        else '' end
                when _p.like_audience is not null then format('those like the audience %s', _p.like_audience)
                else 'users'
            end
        ),
        'away from "' || _p.away_from || '"',
        'by mode ' || (describe_audience.definition ->> 'mode'),
        'breadth ' || _p.breadth,
        'evidence_weight ' || _p.evidence_weight,
        case when not _p.padded then 'with evidence' end,
        'with at least ' || nullif(_p.min_entries, 1) || ' entries',
        'less like ' || nullif(array_to_string(_p.unlike, ', '), ''),
        case when not _p.centered then 'compared as they are' end,
        'in segment ' || array_to_string(_p.segments, ' or ') || ' of ' || _p.segmentation,
        'with ' || nullif(_p.filter, '{}')::text,
        'in all of ' || nullif(array_to_string(_p.all_of, ', '), ''),
        'in any of ' || nullif(array_to_string(_p.any_of, ', '), ''),
        'in none of ' || nullif(array_to_string(_p.none_of, ', '), ''),
        'members stay until ' || round((100 * nullif(_p.keep, 0))::numeric, 6)::real || ' % behind the cut'
    );
end
$$;

comment on function describe_audience(jsonb) is
'A definition of an audience in words.
Example: select audience, describe_audience(definition) from audiences;';
