-- Notes in segment_changes who is in another segment here than in another space over the same people, for whoever reads
-- that outbox and has known the segments of the other space until now.
create procedure record_moves(
    of_space text
)
language plpgsql
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    execute format(
        'insert into segment_changes (segmentation, run_id, user_id, from_segment_id, to_segment_id)
        select segmentation, coalesce(a.run_id, b.run_id), u.user_id, b.segment_id, a.segment_id
        from (
            select s.segmentation, m.*
            from segmentations s
            join segment_assignments m on m.run_id = s.published_run_id
        ) a
        full join (
            select s.segmentation, m.*
            from %1$I.segmentations s
            join %1$I.segment_assignments m on m.run_id = s.published_run_id
        ) b using (segmentation, user_key)
        join users u using (user_key)
        where a.segment_id is distinct from b.segment_id
        order by segmentation, user_key',
        record_moves.of_space
    );
end
$$;

comment on procedure record_moves(text) is
'Internal. Notes who is in another segment than in another space over the same people, as publish_run does of two runs.
Example: call record_moves(current_schema());';
