-- What the users of a run's segments are like by their attributes, and how much each attribute explains the segments.
--
-- Of a category, from its contingency table with the segments: mutual information over the mean of both entropies, and
-- Cramér's V, corrected as Bergsma (2013) does, or an attribute of many values would seem to explain much by chance.
-- Of a number: η² of its ranks, the sum of squares between the segments over the whole one, or a few very rich would
-- decide; equal numbers share their mean rank, so that it is H / (n - 1) of Kruskal and Wallis (1952).
create procedure describe_attributes(
    run_id bigint
)
language plpgsql
set search_path from current
set jit = off
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _values constant bigint := 10;
begin
    delete from run_attributes x where x.run_id = describe_attributes.run_id;
    delete from run_drivers x where x.run_id = describe_attributes.run_id;

    with cells as materialized (
        select * from run_attribute_values(describe_attributes.run_id)
    ),
    ranks as materialized (
        select
            c.attribute,
            c.segment_id,
            c.number,
            rank() over (partition by c.attribute order by c.number)
                + (count(*) over (partition by c.attribute, c.number) - 1) / 2.0::double precision as rank
        from cells c
        where c.number is not null
    ),
    numbers as materialized (
        select
            c.attribute,
            c.segment_id,
            grouping(c.segment_id) = 1 as is_overall,
            count(*) as users,
            avg(c.number) as mean,
            percentile_cont(0.5) within group (order by c.number) as median,
            avg(c.rank) as mean_rank,
            var_pop(c.rank) as rank_variance
        from ranks c
        group by grouping sets ((c.attribute, c.segment_id), (c.attribute))
    ),
    pairs as materialized (
        select
            c.attribute,
            c.value,
            c.segment_id,
            count(*)::double precision as n,
            sum(count(*)) over (partition by c.attribute, c.value)::double precision as n_value,
            sum(count(*)) over (partition by c.attribute, c.segment_id)::double precision as n_segment,
            sum(count(*)) over (partition by c.attribute)::double precision as n_all,
            row_number() over (
                partition by c.attribute, c.segment_id order by count(*) desc, c.value collate "C"
            ) as place
        from cells c
        where c.value is not null
        group by c.attribute, c.value, c.segment_id
    ),
    values as (
        insert into run_attributes (
            run_id, segment_id, attribute, value, users, share, overall_share, lift,
            mean, median, overall_mean, overall_median
        )
        select
            describe_attributes.run_id, p.segment_id, p.attribute, p.value, p.n, p.n / p.n_segment, p.n_value / p.n_all,
            (p.n / p.n_segment) / (p.n_value / p.n_all), null, null, null, null
        from pairs p
        where p.place <= _values
        union all
        select
            describe_attributes.run_id, n.segment_id, n.attribute, null, n.users, null, null, null,
            n.mean, n.median, o.mean, o.median
        from numbers n
        join numbers o using (attribute)
        where o.is_overall and not n.is_overall
        order by 2, 3, 5 desc, 4
    )
    insert into run_drivers (run_id, attribute, kind, users, mutual_information, cramers_v, eta_squared)
    select
        describe_attributes.run_id,
        t.attribute,
        'category',
        t.n,
        coalesce(t.information / nullif(t.entropies / 2, 0), 0),
        coalesce(
            sqrt(
                greatest(t.phi_squared - (t.r - 1) * (t.c - 1) / t.m, 0)
                / nullif(least(t.r - (t.r - 1) ^ 2 / t.m, t.c - (t.c - 1) ^ 2 / t.m) - 1, 0)
            ),
            0
        ),
        null
    from (
        select
            p.attribute,
            max(p.n_all) as n,
            nullif(max(p.n_all) - 1, 0) as m,
            count(distinct p.segment_id) as r,
            count(distinct p.value) as c,
            sum(p.n / p.n_all * ln(p.n * p.n_all / (p.n_segment * p.n_value))) as information,
            -sum(p.n / p.n_all * (ln(p.n_segment / p.n_all) + ln(p.n_value / p.n_all))) as entropies,
            sum(p.n * p.n / (p.n_segment * p.n_value)) - 1 as phi_squared
        from pairs p
        group by p.attribute
    ) t
    union all
    select
        describe_attributes.run_id,
        o.attribute,
        'number',
        o.users,
        null,
        null,
        coalesce(sum(n.users * (n.mean_rank - o.mean_rank) ^ 2) / nullif(o.users * o.rank_variance, 0), 0)
    from numbers n
    join numbers o using (attribute)
    where o.is_overall and not n.is_overall
    group by o.attribute, o.users, o.rank_variance
    order by 2;
end
$$;

comment on procedure describe_attributes(bigint) is
'Internal. Stores what the users of each segment of a run are like by their attributes: the mean and the median of a
number, the ten commonest values of a category; and how much each attribute explains the segments.
Example: call describe_attributes(1);';
