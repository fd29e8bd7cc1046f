-- Builds a segmentation as it was last built, from the vectors there are now.
create procedure rebuild_segmentation(
    segmentation text,
    inout run_id bigint default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _p jsonb;
begin
    select r.parameters into _p
    from segmentation_runs r
    where r.segmentation = rebuild_segmentation.segmentation
    order by r.run_id desc
    limit 1;

    call build_segmentation(
        rebuild_segmentation.segmentation,
        k => (_p ->> 'k')::bigint,
        k_min => (_p ->> 'k_min')::bigint,
        k_max => (_p ->> 'k_max')::bigint,
        method => _p ->> 'method',
        linkage => _p ->> 'linkage',
        filter => _p -> 'filter',
        centered => (_p ->> 'centered')::boolean,
        outlier_fraction => (_p ->> 'outlier_fraction')::double precision,
        drop_smaller_than => (_p ->> 'drop_smaller_than')::bigint,
        warm_start => (_p ->> 'warm_start')::boolean,
        restarts => (_p ->> 'restarts')::bigint,
        max_iterations => (_p ->> 'max_iterations')::bigint,
        tolerance => (_p ->> 'tolerance')::double precision,
        sample_size => (_p ->> 'sample_size')::bigint,
        seed => (_p ->> 'seed')::bigint,
        max_churn => (_p ->> 'max_churn')::double precision,
        describe => (_p ->> 'describe')::boolean,
        run_id => run_id
    );
end
$$;

comment on procedure rebuild_segmentation(text, bigint) is
'Internal. Builds a segmentation anew by the parameters of its last run; the result is the number of the new one.
Example: call rebuild_segmentation(''interests'');';
