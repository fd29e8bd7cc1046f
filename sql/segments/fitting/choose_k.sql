-- How many segments: the elbow of the inertia over k.
create function choose_k(
    sample vector[],
    k_min bigint default 2,
    k_max bigint default 12,
    restarts bigint default 3,
    max_iterations bigint default 50,
    seed bigint default 0
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
declare
    _k_max constant bigint := greatest(
        choose_k.k_min,
        least(choose_k.k_max, cardinality(choose_k.sample) / 2)
    );
    _inertias double precision[] := '{}';
begin
    for _k in choose_k.k_min .. _k_max loop
        perform report_progress(format('trying %s segments', _k));
        _inertias := _inertias || (
            select f.inertia
            from fit_sample(
                choose_k.sample,
                _k,
                restarts => choose_k.restarts,
                max_iterations => choose_k.max_iterations,
                seed => choose_k.seed
            ) f
        );
    end loop;

    return choose_k.k_min + elbow(_inertias) - 1;
end
$$;

comment on function choose_k(vector[], bigint, bigint, bigint, bigint, bigint) is
'Internal. The number of clusters, from k_min to k_max and at most half the sample, at the elbow of the inertia of
k-means.
Example: select choose_k(embeddings) from sample_users(10);';
