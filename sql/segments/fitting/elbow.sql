-- Where a falling curve bends.
create function elbow(
    costs double precision[]
)
returns bigint
language sql
immutable
parallel safe
begin atomic
    select c.place
    from unnest(elbow.costs) with ordinality c (cost, place)
    order by
        elbow.costs[1]
            + (c.place - 1) * (elbow.costs[cardinality(elbow.costs)] - elbow.costs[1])
            / greatest(cardinality(elbow.costs) - 1, 1)
            - c.cost desc,
        c.place
    limit 1;
end;

comment on function elbow(double precision[]) is
'Internal. The place, from 1, at which a falling curve lies farthest below the straight line from its first point to its
last (Satopää et al. 2011, Kneedle).
Example: select elbow(''{10, 6, 3, 2.5, 2}'');';
