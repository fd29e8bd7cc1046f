-- Refuses arguments of build_segmentation that make no sense.
create function check_segmentation(
    name text,
    parameters jsonb,
    initial_centroids vector[] default null
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _p record;
    _fault text;
begin
    select * into _p
    from jsonb_to_record(check_segmentation.parameters) p (
        k bigint,
        k_min bigint,
        k_max bigint,
        method text,
        linkage text,
        filter jsonb,
        outlier_fraction double precision,
        drop_smaller_than bigint,
        warm_start boolean,
        restarts bigint,
        max_iterations bigint,
        tolerance double precision,
        sample_size bigint,
        seed bigint,
        max_churn double precision,
        suppress_below bigint,
        describe boolean
    );

    perform check_filter(_p.filter);

    select f.message into _fault
    from (
        values
            (coalesce(check_segmentation.name, '') !~ e'\\S', 'the segmentation needs a name'),
            (_p.k not between 1 and 1000, 'k is 1 to 1000, or null: chosen'),
            (
                not coalesce(2 <= _p.k_min and _p.k_min <= _p.k_max and _p.k_max <= 1000, false),
                'k_min and k_max are 2 to 1000, in this order'
            ),
            (coalesce(_p.method, '') not in ('kmeans', 'agglomerative'), 'method is kmeans or agglomerative'),
            (coalesce(_p.linkage, '') not in ('ward', 'average'), 'linkage is ward or average'),
            (
                not coalesce(_p.outlier_fraction between 0 and 0.5, false),
                'outlier_fraction is a share of the users, 0 to 0.5'
            ),
            (_p.drop_smaller_than is null, 'drop_smaller_than is a number of users'),
            (_p.warm_start is null, 'warm_start is true or false'),
            (
                check_segmentation.initial_centroids is not null
                and (
                    cardinality(check_segmentation.initial_centroids) not between 1 and 1000
                    or array_position(check_segmentation.initial_centroids, null) is not null
                    or _p.method <> 'kmeans'
                    or _p.k <> cardinality(check_segmentation.initial_centroids)
                    or exists (
                        select from unnest(check_segmentation.initial_centroids) c
                        where vector_dims(c) <> (select dimensions from space)
                    )
                ),
                'initial_centroids are 1 to 1000 vectors of the space, for kmeans alone, as many as k if that is given'
            ),
            (not coalesce(_p.restarts >= 1, false), 'restarts is 1 or more'),
            (not coalesce(_p.max_iterations >= 1, false), 'max_iterations is 1 or more'),
            (not coalesce(_p.tolerance between 0 and 1, false), 'tolerance is 0 to 1'),
            (
                _p.sample_size < 2 or (_p.sample_size is null and _p.method <> 'kmeans'),
                'sample_size is 2 or more, or for kmeans null: rounds over all users until it converges'
            ),
            (_p.seed is null, 'seed is a number'),
            (not _p.max_churn between 0 and 1, 'max_churn is a share of the users, 0 to 1, or null'),
            (_p.suppress_below < 0, 'suppress_below is a number of users, 0 or more'),
            (_p.describe is null, 'describe is true or false')
    ) f (is_wrong, message)
    where f.is_wrong
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = _fault,
            hint = format('For example: call build_segmentation(%L);', coalesce(nullif(check_segmentation.name, ''), 'interests'));
    end if;
end
$$;

comment on function check_segmentation(text, jsonb, vector[]) is
'Internal. Raises 22023 unless a name, the other arguments of build_segmentation as a JSON object, and the centroids to
start from make sense.
Example: select check_segmentation(''interests'', parameters) from segmentation_runs limit 1;';
