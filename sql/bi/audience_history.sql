-- How large the audiences were, for BI tools, without the times when they had very few members.
create view audience_history as
select h.audience, h.refreshed_at, h.why, h.members, h.entered, h.departed, h.lowest_score
from audience_history h
join audiences a using (audience)
where h.members >= a.suppress_below;

comment on view audience_history is
'How large each audience was after every refresh, and how many came and left.
Example: select refreshed_at, audience, members from audience_bi.audience_history order by refreshed_at;';
comment on column audience_history.audience is 'The audience.';
comment on column audience_history.refreshed_at is 'When its members were computed.';
comment on column audience_history.why is 'data, or definition if what it is had changed.';
comment on column audience_history.members is 'How many there were then.';
comment on column audience_history.entered is 'How many of them were new.';
comment on column audience_history.departed is 'How many had left.';
comment on column audience_history.lowest_score is 'The score of the last of them.';
