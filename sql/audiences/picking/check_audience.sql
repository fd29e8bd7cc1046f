-- Stops a definition of an audience that means nothing.
create function check_audience(
    definition jsonb
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _d constant jsonb := check_audience.definition;
    _unknown text;
    _p record;
    _ranks_strictly boolean;
    _ranks boolean;
    _fault record;
begin
    if _d is null or jsonb_typeof(_d) <> 'object' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'a definition of an audience is a JSON object',
            hint = 'For example: {"search": "ski enthusiasts", "size": 500}';
    end if;

    select string_agg(k, ', ' order by k) into _unknown
    from jsonb_object_keys(_d) k
    where k not in (
        'search', 'away_from', 'mode', 'breadth', 'evidence_weight', 'padded', 'min_entries', 'like_users',
        'like_audience', 'unlike', 'centered', 'segmentation', 'segments', 'filter', 'all_of', 'any_of', 'none_of',
        'size', 'share', 'min_score', 'keep', 'judgements_of'
    );

    if _unknown is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('an audience is not defined by: %s', _unknown);
    end if;

    select * into _p
    from audience_parts(_d);

    perform check_filter(_p.filter);
    perform check_search(_p.mode, _p.breadth, _p.evidence_weight, _p.padded);
    perform check_min_entries(_p.min_entries);

    _ranks_strictly := _d ?| array['search', 'like_users', 'like_audience'];
    _ranks := _ranks_strictly or _d ?| array['segmentation', 'all_of', 'any_of'];

    select f.message, f.hint into _fault
    from (
        values
            (not _ranks and not _d ? 'none_of' and _p.filter = '{}', 'the definition says nobody',
                'Give search, like_users, like_audience, segments, filter, all_of, any_of or none_of.'),
            (num_nonnulls(_p.search, _p.like_users, _p.like_audience) > 1,
                'search, like_users and like_audience all rank: give one of them',
                'Save two audiences, and a third of them: all_of => array[…] or any_of => array[…]'),
            (_p.search is null and _d ?| array['away_from', 'mode', 'breadth', 'evidence_weight', 'padded'],
                'away_from, mode, breadth, evidence_weight and padded go with search',
                'For example: search => ''ski enthusiasts'', mode => ''evidence'''),
            (_p.search is null and _d ? 'judgements_of', 'judgements sharpen a search, and there is none',
                'For example: search => ''ski enthusiasts'', use_judgements => true'),
            (not _d ?| array['like_users', 'like_audience'] and _d ?| array['unlike', 'centered'],
                'unlike and centered go with like_users or like_audience',
                'For a search: away_from => ''…''; to leave members out: none_of => array[…]'),
            ((_d ? 'segmentation') <> (_d ? 'segments'), 'segmentation and segments go together',
                'For example: segmentation => ''interests'', segments => array[1]'),
            (num_nonnulls(_p.size, _p.share, _p.min_score) > 1, 'size, share and min_score all say how many',
                'Give one of them.'),
            (_ranks_strictly and num_nonnulls(_p.size, _p.share, _p.min_score) = 0,
                'a ranking has no end by itself: how many shall be in the audience?',
                'Give size => 500, share => 0.05 or min_score => 2.'),
            (not _ranks and num_nonnulls(_p.size, _p.share, _p.min_score) > 0,
                'nothing ranks these users, so there are no best of them',
                'Leave out size, share and min_score, or give a search.'),
            (_d ? 'keep' and num_nonnulls(_p.size, _p.share, _p.min_score) = 0,
                'keep goes with size, share or min_score', 'For example: size => 500, keep => 0.2'),
            (_p.search ~ e'^\\s*$' or _p.away_from ~ e'^\\s*$', 'the text is blank',
                'For example: search => ''ski enthusiasts'''),
            (_p.size < 1, format('size is 1 or more, not %s', _p.size), 'For example: size => 500'),
            (not (_p.share > 0 and _p.share <= 1), format('share is above 0, at most 1, not %s', _p.share),
                'For example: share => 0.05'),
            (_p.min_score in ('NaN', 'Infinity', '-Infinity'), format('min_score is a number, not %s', _p.min_score),
                'For example: min_score => 2'),
            (not (_p.keep >= 0 and _p.keep < 1), format('keep is 0 to below 1, not %s', _p.keep),
                'For example: keep => 0.2'),
            (
                exists (
                    select
                    from jsonb_each(_d) e
                    where jsonb_typeof(e.value) = 'null'
                        or jsonb_typeof(e.value) = 'array' and (
                            e.value = '[]'
                            or e.value @> '[null]'
                            or jsonb_array_length(e.value) <> (
                                select count(distinct i) from jsonb_array_elements(e.value) i
                            )
                        )
                ),
                'a part of the definition is null, or empty, or names the same twice',
                'Leave out what does not matter.'
            )
    ) f (wrong, message, hint)
    where f.wrong
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = _fault.message,
            hint = _fault.hint;
    end if;
end
$$;

comment on function check_audience(jsonb) is
'Internal. Raises 22023 unless this is a definition of an audience.
Example: select check_audience(''{"search": "ski enthusiasts", "size": 3}'');';
