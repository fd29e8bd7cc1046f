-- Activity with what it counts for in profiles, as of the last refresh.
create view weighted_activity as
select
    a.user_key,
    a.entry_key,
    a.frequency,
    entry_weight(a.frequency, s.weighting)
        * recency(a.last_at, s.half_life, coalesce(s.weighted_at, now())) as weight
from activity a
cross join space s;

comment on view weighted_activity is
'Activity with the weight of each pair of user and entry in the profile of the user.
Example: select * from weighted_activity order by weight desc limit 5;';
comment on column weighted_activity.user_key is 'The user.';
comment on column weighted_activity.entry_key is 'The entry.';
comment on column weighted_activity.frequency is 'How often.';
comment on column weighted_activity.weight is
'The weight of that frequency under space.weighting, faded by space.half_life as of the last refresh.';
