-- What the users of the segments of a run are, in words, by the attributes that explain the segments the most: values
-- that are more common than among all users, and medians that are among the farthest from that of all.
--
-- A value speaks for itself, unless another attribute has it too or it says nothing without its attribute: 'retired',
-- but 'no housing', 'contact unknown'.
create function segment_traits(
    run_id bigint
)
returns table (
    segment_id bigint,
    phrase text,
    score double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _least_strength constant double precision := 0.03;
    _least_gap constant double precision := 0.1;
    _least_lift constant double precision := 1.3;
    _yes constant text[] := '{yes,y,true,t}';
    _no constant text[] := '{no,n,false,f}';
    _empty constant text[] := '{unknown,other,none,null,missing,"n/a"}';
begin
    return query
    with values as (
        select
            a.segment_id,
            a.value,
            translate(a.attribute, '_', ' ') as attribute,
            lower_case(a.value) as folded,
            a.median,
            a.share - a.overall_share as gap,
            a.lift,
            abs(a.median - a.overall_median)
                / nullif(max(abs(a.median - a.overall_median)) over (partition by a.attribute), 0) as distance,
            coalesce(d.cramers_v, sqrt(d.eta_squared)) as strength,
            count(a.value) over (partition by a.segment_id, lower_case(a.value)) > 1 as is_shared
        from run_attributes a
        join run_drivers d on d.run_id = a.run_id and d.attribute = a.attribute
        where a.run_id = segment_traits.run_id
            and coalesce(d.cramers_v, d.eta_squared) >= _least_strength
    )
    select
        v.segment_id,
        case
            when v.value is null then concat_ws(
                ' ',
                v.attribute,
                case when v.median <> 0 then 'around' end,
                trim_scale(
                    round(v.median::numeric, 1 - floor(log(abs(coalesce(nullif(v.median, 0), 1))))::integer)
                )
            )
            when v.folded = any (_yes) then v.attribute
            when v.folded = any (_no) then 'no ' || v.attribute
            when v.is_shared or v.folded = any (_empty) or v.value !~ '[[:alpha:]]{2}'
                then v.attribute || ' ' || v.value
            else v.value
        end,
        t.score
    from values v
    cross join lateral (
        select case when v.value is null then v.strength * v.distance / 2 else v.gap end as score
    ) t
    where (v.value is null and v.distance > 0.5) or (v.gap >= _least_gap and v.lift >= _least_lift)
    order by v.segment_id, round(t.score::numeric, 9) desc, v.attribute collate "C", v.value collate "C";
end
$$;

comment on function segment_traits(bigint) is
'Internal. What the users of the segments of a run are by their attributes, in words, most telling first.
Example: select segment_id, phrase, score from segment_traits(1) limit 10;';
