-- Writes down who is in which segment of a run. Users stay until that is committed; those who are gone since the last
-- refresh are left out.
create procedure place_users(
    run_id bigint,
    prototypes vector[],
    prototype_segments bigint[],
    segment_ids bigint[],
    centroids vector[],
    filter jsonb,
    leave_out bigint[],
    centered boolean
)
language plpgsql
set search_path from current
set jit = off
set enable_nestloop = off
as $$
declare
    _directions vector[];
    _lengths double precision[];
    _prototypes bigint[];
begin
    select
        array_agg(l2_normalize(c) order by n),
        array_agg(coalesce(nullif(vector_norm(c), 0), 1) order by n),
        array_agg(array_position(place_users.prototypes, c) order by n)
    into _directions, _lengths, _prototypes
    from unnest(place_users.centroids) with ordinality u (c, n);

    perform hold_users();

    execute format(
        'insert into segment_assignments (run_id, user_key, segment_id, similarity, runner_up_id, margin)
        select $8, p.user_key, $9[p.segment], p.similarity, $9[p.runner_up], p.similarity - p.next
        from (%s) p
        where exists (select from users u where u.user_key = p.user_key)',
        user_placements(
            segmentation_points(centered => place_users.centered),
            cardinality(place_users.prototypes),
            _prototypes
        )
    )
    using
        place_users.prototypes,
        half_squares(place_users.prototypes),
        place_users.filter,
        place_users.leave_out,
        place_users.prototype_segments,
        _directions,
        _lengths,
        place_users.run_id,
        place_users.segment_ids;
end
$$;

comment on procedure place_users(bigint, vector[], bigint[], bigint[], vector[], jsonb, bigint[], boolean) is
'Internal. Writes into segment_assignments the segment of every user of a filter: that of the nearest prototype, whose
number is in prototype_segments (null: none); segment_ids and centroids are those of the numbers.
Example: call place_users(0, array[embed(''ski'')], ''{1}'', ''{1}'', array[embed(''ski'')], ''{}'', ''{}'', true);';
