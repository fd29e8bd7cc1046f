-- Whether centroids fit a sample as well as those of all users would.
--
-- The means of a sample of users differ from those of all by chance: squared and summed over the clusters, by about the
-- variance in a cluster divided by its users in the sample.
create function fits_sample(
    centroids vector[],
    sample vector[]
)
returns boolean
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
declare
    _beyond_chance constant double precision := 2;
    _once record;
begin
    _once := fit_points(fits_sample.centroids, points => fits_sample.sample, max_iterations => 1);

    return (
        select
            sum((u.before <-> u.after) ^ 2)
            <= _beyond_chance * _once.inertia / cardinality(fits_sample.sample) * sum(1.0 / greatest(u.size, 1))
        from unnest(fits_sample.centroids, _once.fitted, _once.sizes) u (before, after, size)
    );
end
$$;

comment on function fits_sample(vector[], vector[]) is
'Internal. Whether a round of k-means of a sample moves these centroids no farther than a sample does by chance, so that
more such rounds would only add its noise.
Example: select fits_sample(seed_centroids(embeddings, 3), embeddings) from sample_users(10);';
