-- Who is in which audience, for BI tools.
create view audience_members as
select m.audience, m.user_id, m.rank, m.score, m.reasons, u.attributes, m.percentile, m.times
from audience_members m
join users u using (user_id)
where m.audience in (select a.audience from audiences a);

comment on view audience_members is
'Who is in which audience, and why.
Example: select user_id, score, reasons from audience_bi.audience_members where audience = ''skiers'' order by rank;';
comment on column audience_members.audience is 'The audience.';
comment on column audience_members.user_id is 'The user.';
comment on column audience_members.rank is 'The place among all who could be in it.';
comment on column audience_members.score is 'What ranks; null where nothing does.';
comment on column audience_members.reasons is 'The entries that speak for it most.';
comment on column audience_members.attributes is 'What else is known of the user, as a JSON object.';
comment on column audience_members.percentile is
'The share, 0 to 100, of those who could be in it that come after the member; null where nothing ranks.';
comment on column audience_members.times is
'How many times the evidence of an average user speaks for the member; null but for a search with evidence.';
