-- The texts, for BI tools: no vectors.
create view entries as
select
    e.entry,
    e.attributes,
    coalesce(s.users, 0) as users,
    coalesce(s.frequency, 0) as frequency,
    v.embedded_at
from entries e
left join entry_stats s using (entry_key)
left join entry_vectors v using (entry_key);

comment on view entries is
'The distinct texts, a row each, with how common they are.
Example: select entry, users from audience_bi.entries order by users desc limit 10;';
comment on column entries.entry is 'The text.';
comment on column entries.attributes is 'What else is known of the entry, as a JSON object.';
comment on column entries.users is 'How many users have it.';
comment on column entries.frequency is 'How often it occurs over all users.';
comment on column entries.embedded_at is 'When its vector was stored; null while it waits.';
