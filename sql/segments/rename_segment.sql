-- Gives a segment a name that outlives every rebuild.
create procedure rename_segment(
    segmentation text,
    segment_id bigint,
    new_name text
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _name constant text := normalize_text(rename_segment.new_name);
    _holder bigint;
begin
    perform published_segment(rename_segment.segmentation, rename_segment.segment_id);

    if _name is null or _name = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the new name is blank';
    end if;

    select h.segment_id into _holder
    from (
        select s.segment_id, s.name from segments s where s.segmentation = rename_segment.segmentation
        union all
        select n.segment_id, n.name from segment_names n where n.segmentation = rename_segment.segmentation
    ) h
    where h.segment_id <> rename_segment.segment_id and lower_case(h.name) = lower_case(_name)
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('segment %s of %L is called %L', _holder, rename_segment.segmentation, _name),
            hint = 'Two segments of one name could not be told apart: choose another.';
    end if;

    insert into segment_names (segmentation, segment_id, name)
    values (rename_segment.segmentation, rename_segment.segment_id, _name)
    on conflict on constraint segment_names_pkey do update
    set name = excluded.name, named_by = session_user, named_at = now(), model = null;
end
$$;

comment on procedure rename_segment(text, bigint, text) is
'Gives a segment a name, which it keeps however often the segmentation is built again.
Example: call rename_segment(''interests'', 1, ''Weekend skiers'');';
