-- How many members audiences share: every pair that shares any, both ways, and each with itself.
create view audience_pairs as
select
    m.audience,
    o.audience as other,
    count(*) as shared
from audience_members m
join audience_members o using (user_id)
group by m.audience, o.audience;

comment on view audience_pairs is
'Internal. How many members every two audiences share, where they share any.
Example: select audience, other, shared from audience_pairs where audience < other;';
comment on column audience_pairs.audience is 'The audience.';
comment on column audience_pairs.other is 'The one it is compared with.';
comment on column audience_pairs.shared is 'How many are in both.';
