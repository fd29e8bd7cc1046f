-- Kept copy of common_weights_live.
create materialized view common_weights as
select * from common_weights_live;

create unique index common_weights_frequency on common_weights (frequency);

comment on materialized view common_weights is
'Internal. Constant vectors of the weights of common frequencies, as of the last refresh; they make user_vectors fast to
compute.
Example: select frequency from common_weights order by frequency limit 10;';
comment on column common_weights.weighting is 'The weighting that the weights are of.';
comment on column common_weights.frequency is 'One of the thousand most common frequencies.';
comment on column common_weights.weight is 'Its weight.';
comment on column common_weights.weights is 'Its weight, in every dimension.';
