-- What the rows of a load add up to.
create view staged_pairs as
select
    s.user_key,
    s.entry_key,
    sum(s.frequency) as frequency,
    min(s.first_at) as first_at,
    max(s.last_at) as last_at
from staged_activity s
group by s.user_key, s.entry_key;

comment on view staged_pairs is
'Internal. In a distributed space, the rows of a load as activity has them, until it ends.
Example: select count(*) from staged_pairs;';
comment on column staged_pairs.user_key is 'The user.';
comment on column staged_pairs.entry_key is 'The entry.';
comment on column staged_pairs.frequency is 'How often.';
comment on column staged_pairs.first_at is 'When first.';
comment on column staged_pairs.last_at is 'When last.';
