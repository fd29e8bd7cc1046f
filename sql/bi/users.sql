-- The people, for BI tools: no vectors.
create view users as
select
    u.user_id,
    u.attributes,
    v.entries,
    v.frequency,
    v.coverage
from users u
left join user_vectors v using (user_key);

comment on view users is
'The people, a row each; figures are null for users without a vector.
Example: select user_id, frequency from audience_bi.users order by frequency desc nulls last limit 10;';
comment on column users.user_id is 'The id your own systems use.';
comment on column users.attributes is 'What else is known of the user, as a JSON object.';
comment on column users.entries is 'How many distinct entries the user has.';
comment on column users.frequency is 'Their frequencies, added up.';
comment on column users.coverage is 'The share of that frequency, 0 to 1, whose entries have a vector.';
