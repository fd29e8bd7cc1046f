-- Makes a segmentation, if there is none of that name, and locks it until the end of the transaction.
create function lock_segmentation(
    segmentation text
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _published bigint;
begin
    insert into segmentations (segmentation)
    values (lock_segmentation.segmentation)
    on conflict do nothing;

    select s.published_run_id into _published
    from segmentations s
    where s.segmentation = lock_segmentation.segmentation
    for no key update;

    return _published;
end
$$;

comment on function lock_segmentation(text) is
'Internal. The published run of a segmentation, null if there is none, which no other build changes before this
transaction ends.
Example: select lock_segmentation(''interests'');';
