-- Stops a definition that names audiences or segments which are not there.
create function check_foundations(
    definition jsonb
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _missing text;
begin
    select string_agg(quote_nullable(n.name), ', ' order by n.name) into _missing
    from unnest(audience_names(check_foundations.definition)) n (name)
    where not exists (select from audiences a where a.audience = n.name);

    if _missing is not null then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no audience %s', _missing),
            hint = coalesce(
                (select 'There are: ' || string_agg(a.audience, ', ' order by a.audience) from audiences a),
                'Save it first: call save_audience(…);'
            );
    end if;

    perform published_segment(p.segmentation, s.segment_id)
    from audience_parts(check_foundations.definition) p
    cross join unnest(p.segments) s (segment_id);
end
$$;

comment on function check_foundations(jsonb) is
'Internal. Raises P0002 when a definition names an audience or a segment that is not there.
Example: select check_foundations(''{"segmentation": "interests", "segments": [1]}'');';
