-- k-means of a sample from several starts, of which the best counts.
create function fit_sample(
    sample vector[],
    k bigint,
    restarts bigint default 3,
    max_iterations bigint default 50,
    tolerance double precision default 1e-4,
    seed bigint default 0,
    out fitted vector[],
    out inertia double precision
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
begin
    select f.fitted, f.inertia into fitted, inertia
    from generate_series(1, fit_sample.restarts) r
    cross join lateral fit_points(
        seed_centroids(fit_sample.sample, fit_sample.k, fit_sample.seed + r * 1000003),
        points => fit_sample.sample,
        max_iterations => fit_sample.max_iterations,
        tolerance => fit_sample.tolerance
    ) f
    order by f.inertia, r
    limit 1;
end
$$;

comment on function fit_sample(vector[], bigint, bigint, bigint, double precision, bigint) is
'Internal. The centroids of the best of several k-means of a sample, each from another k-means++ start, and their
inertia.
Example: select inertia from sample_users(10), fit_sample(embeddings, 3);';
