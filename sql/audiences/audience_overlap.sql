-- How far audiences have the same members.
create function audience_overlap(
    names text[] default null
)
returns table (
    audience text,
    other text,
    members bigint,
    other_members bigint,
    shared bigint,
    share double precision,
    lift double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _users bigint;
begin
    perform check_foundations(jsonb_build_object('any_of', audience_overlap.names));

    select count(*) into _users
    from users;

    return query
    with chosen as (
        select a.audience, a.members
        from audiences a
        where audience_overlap.names is null or a.audience = any (audience_overlap.names)
    ),
    pairs as (
        select p.audience, p.other, p.shared
        from audience_pairs p
        where audience_overlap.names is null
            or (p.audience = any (audience_overlap.names) and p.other = any (audience_overlap.names))
    )
    select
        a.audience,
        o.audience,
        a.members,
        o.members,
        coalesce(s.shared, 0),
        coalesce(s.shared, 0)::double precision / nullif(a.members, 0),
        coalesce(s.shared, 0)::double precision * _users / nullif(a.members::double precision * o.members, 0)
    from chosen a
    cross join chosen o
    left join pairs s on (s.audience, s.other) = (a.audience, o.audience)
    order by a.audience, o.audience;
end
$$;

comment on function audience_overlap(text[]) is
'How far audiences have the same members, every pair both ways, of some of them or of all: how many they share, which
share of the first that is, and lift, how many times as many as if both were drawn from all users by chance.
Example: select audience, other, shared, lift from audience_overlap() where audience < other;';
