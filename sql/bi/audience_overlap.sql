-- How far audiences have the same members, for BI tools, without overlaps of very few.
create view audience_overlap as
select
    a.audience,
    b.audience as other,
    a.members,
    b.members as other_members,
    coalesce(p.shared, 0) as shared,
    coalesce(p.shared, 0)::double precision / nullif(a.members, 0) as share,
    coalesce(p.shared, 0)::double precision * u.users / nullif(a.members::double precision * b.members, 0) as lift
from audiences a
cross join audiences b
cross join (select count(*) as users from users) u
left join audience_pairs p on (p.audience, p.other) = (a.audience, b.audience)
where least(a.members, b.members, p.shared) >= greatest(a.suppress_below, b.suppress_below);

comment on view audience_overlap is
'How far audiences have the same members, every pair both ways; overlaps of very few are hidden.
Example: select audience, other, shared, lift from audience_bi.audience_overlap where audience < other;';
comment on column audience_overlap.audience is 'The audience.';
comment on column audience_overlap.other is 'The one it is compared with.';
comment on column audience_overlap.members is 'How many are in it.';
comment on column audience_overlap.other_members is 'How many are in the other.';
comment on column audience_overlap.shared is 'How many are in both.';
comment on column audience_overlap.share is 'Their share of the audience, 0 to 1.';
comment on column audience_overlap.lift is 'How many times as many as if both were drawn from all users by chance.';
