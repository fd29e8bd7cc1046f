-- What share of those nearest to each user is of a group.
--
-- Only some are asked, for speed, and as many of a large group as of the others: the order of the shares is that of the
-- group's share anywhere.
create function group_votes(
    user_ids text[],
    weights double precision[] default null,
    unlike text[] default null,
    filter jsonb default '{}',
    centered boolean default true,
    min_entries bigint default 1
)
returns table (
    user_key bigint,
    user_id text,
    share double precision,
    likeness double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _most_of_a_side constant bigint := 1000;
begin
    perform check_group(group_votes.user_ids, weights => group_votes.weights, unlike => group_votes.unlike);

    return query execute format(
        'with members as (
            select u.user_key, m.vote
            from (
                select g.user_id, coalesce(max(g.weight) / max(max(g.weight)) over (), 1) as vote
                from unnest($1, $2) g (user_id, weight)
                group by g.user_id
                union all
                select distinct s.user_id, -1::double precision
                from unnest($3) s (user_id)
            ) m
            join users u using (user_id)
        ),
        electors as materialized (
            select e.user_key, e.embedding, e.vote
            from (
                select
                    v.user_key,
                    v.embedding,
                    coalesce(m.vote, 0) as vote,
                    row_number() over (
                        partition by m.vote > 0
                        order by hashint8extended(v.user_key, 0), v.user_key
                    ) as number
                from %1$I v
                left join members m using (user_key)
            ) e
            where e.number <= $4
        ),
        factors as (
            select
                ceil(sqrt(count(*)))::bigint as nearest,
                sum(scale(e.embedding, e.vote)) filter (where e.vote > 0) as direction
            from electors e
        )
        select
            v.user_key,
            v.user_id,
            coalesce((
                select avg(n.vote)
                from (
                    select e.vote
                    from electors e
                    where e.user_key <> v.user_key
                    order by e.embedding <#> v.embedding, e.user_key
                    limit f.nearest
                ) n
            ), 0),
            -(v.embedding <#> f.direction)
        from %1$I v
        cross join factors f
        where v.user_id <> all ($1 || $3)
            and ($5 or v.user_key in (select u.user_key from filtered_users($6, $7) u))',
        user_vector_relation(group_votes.centered)
    )
    using
        group_votes.user_ids,
        group_votes.weights,
        coalesce(group_votes.unlike, '{}'),
        _most_of_a_side,
        group_votes.filter = '{}' and group_votes.min_entries = 1,
        group_votes.filter,
        group_votes.min_entries;
end
$$;

comment on function group_votes(text[], double precision[], text[], jsonb, boolean, bigint) is
'Internal. Of every user outside a group: share, that of the group among the users nearest to them (Cover and Hart 1967,
Nearest neighbor pattern classification), where a member counts by weight as part of the largest, and one of unlike as
-1; and likeness, the product with the sum of the group''s vectors, which decides between equal shares. Asked are at
most 1,000 users of the group and 1,000 others; of these, as many as the root of their number count as nearest.
Example: select user_id, share from group_votes(array[''user_ski_only'', ''user_ski_horror_romcom'']) order by 2 desc;';
