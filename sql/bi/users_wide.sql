-- The people with a column for each attribute, for BI tools: refresh() keeps the columns up to date.
create view users_wide as
select
    u.user_id,
    u.entries,
    u.frequency,
    u.coverage
from users u;

comment on view users_wide is
'The people, a row each, with a column for each attribute; an attribute that is new has one after the next refresh.
Example: select * from audience_bi.users_wide order by frequency desc nulls last limit 10;';
comment on column users_wide.user_id is 'The id your own systems use.';
comment on column users_wide.entries is 'How many distinct entries the user has.';
comment on column users_wide.frequency is 'Their frequencies, added up.';
comment on column users_wide.coverage is 'The share of that frequency, 0 to 1, whose entries have a vector.';

call widen_users();
