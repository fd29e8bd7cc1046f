-- A definition of an audience in words, unless it is none.
create function audience_in_words(
    definition jsonb
)
returns text
language sql
immutable
parallel safe
begin atomic
    select concat_ws(
        ', ',
        concat_ws(
            ' ',
            case
                when p.size is not null then format('the best %s of', p.size)
                when p.share is not null then format('the best %s %% of', round((100 * p.share)::numeric, 6)::real)
                when p.min_score is not null then format('all with a score of at least %s of', p.min_score)
                else 'all'
            end,
            case
                when p.search is not null then format('those who match "%s"', p.search)
                when p.like_users = '{}' then 'those like users who were forgotten'
                when p.like_users is not null then 'those like ' || array_to_string(p.like_users[:5], ', ')
                    || case
                        when cardinality(p.like_users) > 5 then format(' and %s more', cardinality(p.like_users) - 5)
                        else '' end
                when p.like_audience is not null then format('those like the audience %s', p.like_audience)
                else 'users'
            end
        ),
        'away from "' || p.away_from || '"',
        'by mode ' || (audience_in_words.definition ->> 'mode'),
        'breadth ' || p.breadth,
        'evidence_weight ' || p.evidence_weight,
        case when not p.padded then 'with evidence' end,
        'sharpened by those judged for ' || p.judgements_of,
        'with at least ' || nullif(p.min_entries, 1) || ' entries',
        'less like ' || nullif(array_to_string(p.unlike, ', '), ''),
        case when not p.centered then 'compared as they are' end,
        'in segment ' || array_to_string(p.segments, ' or ') || ' of ' || p.segmentation,
        'with ' || nullif(p.filter, '{}')::text,
        'in all of ' || nullif(array_to_string(p.all_of, ', '), ''),
        'in any of ' || nullif(array_to_string(p.any_of, ', '), ''),
        'in none of ' || nullif(array_to_string(p.none_of, ', '), ''),
        'members stay until ' || round((100 * nullif(p.keep, 0))::numeric, 6)::real || ' % behind the cut'
    )
    from audience_parts(audience_in_words.definition) p;
end;

comment on function audience_in_words(jsonb) is
'Internal. A definition of an audience in words; it is one, as check_audience says.
Example: select audience_in_words(''{"search": "ski enthusiasts", "size": 3}'');';
