-- Gives a segment the name of the most central answer of a chat model that no other segment has, unless a person has
-- named it.
create function name_by_model(
    segmentation text,
    segment_id bigint
)
returns text
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _name text;
    _model text;
begin
    select c.name, c.model into _name, _model
    from segment_descriptions c
    where (c.segmentation, c.segment_id) = (name_by_model.segmentation, name_by_model.segment_id)
        and c.rank is not null
        and not exists (
            select
            from (
                select s.segment_id, s.name from segments s where s.segmentation = name_by_model.segmentation
                union all
                select n.segment_id, n.name from segment_names n where n.segmentation = name_by_model.segmentation
            ) other
            where other.segment_id <> name_by_model.segment_id and lower_case(other.name) = lower_case(c.name)
        )
    order by c.rank
    limit 1;

    insert into segment_names as n (segmentation, segment_id, name, model)
    select name_by_model.segmentation, name_by_model.segment_id, _name, _model
    where _name is not null
    on conflict on constraint segment_names_pkey do update
    set name = excluded.name, named_by = session_user, named_at = now(), model = excluded.model
    where n.model is not null
    returning n.name into _name;

    return case when found then _name end;
end
$$;

comment on function name_by_model(text, bigint) is
'Internal. Gives a segment a name that a chat model chose, that of its most central answer whose name no other segment
has, and returns it; null where a person has named the segment, whose name stays, or where all are taken.
Example: select name_by_model(''interests'', 1);';
