-- The numbers of new segments: those of the segments they continue, and such as nobody has had yet.
create function number_segments(
    segmentation text,
    previous_run_id bigint,
    prototypes vector[],
    prototype_clusters bigint[],
    centroids vector[],
    filter jsonb,
    leave_out bigint[],
    centered boolean
)
returns bigint[]
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _k constant integer := cardinality(number_segments.centroids);
    _ids bigint[] := array_fill(null::bigint, array[_k]);
    _last_id bigint;
begin
    if number_segments.previous_run_id is not null then
        select match_segments(
            number_segments.previous_run_id, o.clusters, o.segment_ids, o.users, number_segments.centroids
        )
        into _ids
        from run_overlaps(
            number_segments.previous_run_id,
            number_segments.prototypes,
            number_segments.prototype_clusters,
            number_segments.filter,
            number_segments.leave_out,
            number_segments.centered
        ) o;
    end if;

    update segmentations s
    set last_segment_id = s.last_segment_id + n.new_ids
    from (select count(*) as new_ids from unnest(_ids) id where id is null) n
    where s.segmentation = number_segments.segmentation
    returning s.last_segment_id - n.new_ids into _last_id;

    return array(
        select coalesce(i.id, _last_id + count(*) filter (where i.id is null) over (order by i.n))
        from unnest(_ids) with ordinality i (id, n)
        order by i.n
    );
end
$$;

comment on function number_segments(text, bigint, vector[], bigint[], vector[], jsonb, bigint[], boolean) is
'Internal. For every centroid the segment_id: that of the segment of an earlier run that it continues, else one that was
never given before.
Example: select number_segments(''interests'', null, ''{}'', ''{}'', array[embed(''ski'')], ''{}'', ''{}'', true);';
