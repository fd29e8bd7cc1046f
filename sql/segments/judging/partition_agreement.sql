-- How much two ways to cut up the same things agree, in the definitions of scikit-learn.
create function partition_agreement(
    a bigint[],
    b bigint[],
    counts bigint[] default null,
    out adjusted_rand_index double precision,
    out normalized_mutual_information double precision,
    out homogeneity double precision
)
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
declare
    _total double precision;
    _pairs_both double precision;
    _pairs_a double precision;
    _pairs_b double precision;
    _information double precision;
    _entropy_a double precision;
    _entropy_b double precision;
begin
    with cells as (
        select t.a, t.b, sum(coalesce(t.things, 1))::double precision as things
        from unnest(partition_agreement.a, partition_agreement.b, partition_agreement.counts) t (a, b, things)
        where t.a is not null and t.b is not null
        group by t.a, t.b
        having sum(coalesce(t.things, 1)) > 0
    ),
    margins as (
        select
            c.*,
            sum(c.things) over () as total,
            sum(c.things) over (partition by c.a) as things_a,
            sum(c.things) over (partition by c.b) as things_b,
            row_number() over (partition by c.a) as number_a,
            row_number() over (partition by c.b) as number_b
        from cells c
    )
    select
        max(m.total),
        sum(m.things ^ 2),
        sum(m.things_a ^ 2) filter (where m.number_a = 1),
        sum(m.things_b ^ 2) filter (where m.number_b = 1),
        sum(m.things / m.total * ln(m.things * m.total / (m.things_a * m.things_b))),
        -sum(m.things_a / m.total * ln(m.things_a / m.total)) filter (where m.number_a = 1),
        -sum(m.things_b / m.total * ln(m.things_b / m.total)) filter (where m.number_b = 1)
    into _total, _pairs_both, _pairs_a, _pairs_b, _information, _entropy_a, _entropy_b
    from margins m;

    if _total is null then
        return;
    end if;

    adjusted_rand_index := case
        when _pairs_both = _pairs_a and _pairs_both = _pairs_b then 1
        else
            2 * (
                (_pairs_both - _total) * (_total ^ 2 - _pairs_a - _pairs_b + _pairs_both)
                - (_pairs_a - _pairs_both) * (_pairs_b - _pairs_both)
            ) / (
                (_pairs_a - _total) * (_total ^ 2 - _pairs_b)
                + (_pairs_b - _total) * (_total ^ 2 - _pairs_a)
            )
    end;
    normalized_mutual_information := case
        when _entropy_a = 0 and _entropy_b = 0 then 1
        else greatest(_information / ((_entropy_a + _entropy_b) / 2), 0)
    end;
    homogeneity := case when _entropy_a = 0 then 1 else greatest(_information / _entropy_a, 0) end;
end
$$;

comment on function partition_agreement(bigint[], bigint[], bigint[]) is
'Internal. How much two partitions of the same things agree, given the part of each thing in a and in b: adjusted Rand
index, normalised mutual information, and homogeneity, which is 1 if no part of b mixes parts of a. With counts, an
element stands for so many things, so a contingency table will do. Things without a part on one side are left out.
Example: select adjusted_rand_index from partition_agreement(array[1, 1, 2, 2], array[1, 1, 2, 3]);';
