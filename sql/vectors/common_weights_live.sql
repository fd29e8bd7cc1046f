-- The constant vector of each common weight, to multiply entry vectors by.
--
-- pgvector has no product of scalar and vector, and building a constant vector for each row of activity would take most
-- of a refresh. The thousand most common frequencies get theirs once.
create view common_weights_live as
select
    s.weighting,
    c.frequency,
    entry_weight(c.frequency, s.weighting) as weight,
    array_fill(entry_weight(c.frequency, s.weighting)::real, array[s.dimensions])::vector as weights
from space s
cross join (
    select a.frequency
    from activity a
    group by a.frequency
    order by count(*) desc, a.frequency
    limit 1000
) c;

comment on view common_weights_live is
'Internal. The definition of common_weights, computed as you read it.
Example: select frequency from common_weights_live order by frequency limit 10;';
comment on column common_weights_live.weighting is 'The weighting that the weights are of.';
comment on column common_weights_live.frequency is 'One of the thousand most common frequencies.';
comment on column common_weights_live.weight is 'Its weight.';
comment on column common_weights_live.weights is 'Its weight, in every dimension.';
