-- The audiences, for BI tools, without those of fewer members than suppress_below. The other views of audiences here
-- ask this one what may be shown: of two relations of that name, theirs is the one of this schema.
create view audiences as
select
    a.audience,
    audience_in_words(a.definition) as meaning,
    a.definition,
    a.members,
    a.suppress_below,
    a.created_at,
    a.defined_at,
    a.refreshed_at,
    audience_is_stale(a.audience) as stale,
    a.fault
from audiences a
where a.members >= a.suppress_below;

comment on view audiences is
'The audiences: what they are, how large, how fresh; those of very few members are hidden.
Example: select audience, meaning, members, stale from audience_bi.audiences order by members desc;';
comment on column audiences.audience is 'Its name.';
comment on column audiences.meaning is 'Who belongs to it, in words.';
comment on column audiences.definition is 'Who belongs to it, as data.';
comment on column audiences.members is 'How many are in it.';
comment on column audiences.suppress_below is 'Fewer members than this are not shown here.';
comment on column audiences.created_at is 'When it was first saved.';
comment on column audiences.defined_at is 'When it got this definition.';
comment on column audiences.refreshed_at is 'When its members were last computed.';
comment on column audiences.stale is 'Whether something has changed since then that could change who belongs to it.';
comment on column audiences.fault is 'Why the last refresh left it as it was; null if it did not.';
