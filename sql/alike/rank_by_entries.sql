-- The users most alike to one user by the entries that both have, or by these and their vectors.
--
-- entry_similarities says nearly how alike all are. Who might be among the best by that is compared exactly: the
-- similarity is off by no more than the idf of any entry from the settled one.
create function rank_by_entries(
    of_user_key bigint,
    k bigint,
    filter jsonb default '{}',
    min_entries bigint default 1,
    of_vectors text default null,
    self vector default null
)
returns table (
    user_id text,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _share_of_entries constant double precision := case when rank_by_entries.of_vectors is null then 1 else 2 / 3.0 end;
    _everybody constant boolean := rank_by_entries.filter = '{}' and rank_by_entries.min_entries = 1;
    _rounding constant double precision := 1 + 1e-6;
    _off_by constant double precision := (
        select _rounding * coalesce(max(greatest(s.idf / s.settled_idf, s.settled_idf / s.idf)), 1)
        from entry_stats s
        where s.idf > 0 and s.settled_idf > 0
    );
begin
    return query execute format(
        'with compared as materialized (
            select
                user_key,
                user_id,
                (1 - $1) * %s as of_vectors,
                e.product,
                coalesce($1 * e.similarity, 0) as of_entries
            from %s
            left join entry_similarities($2) e using (user_key)
            where user_key <> $2
                and ($3 or user_key in (select u.user_key from filtered_users($4, $5) u))
        ),
        at_least as (
            select c.of_vectors + c.of_entries / $6 as similarity
            from compared c
            order by similarity desc
            limit $7
        )
        select c.user_id, s.similarity
        from compared c
        left join lateral (
            select entry_length(c.user_key) as length
        ) l on c.product is not null
        cross join lateral (
            select c.of_vectors + $1 * least(coalesce(c.product / nullif(l.length, 0), 0), 1) as similarity
        ) s
        where c.of_vectors + c.of_entries * $6 >= (select min(a.similarity) from at_least a)
        order by s.similarity desc, c.user_id
        limit $7',
        case when rank_by_entries.of_vectors is null then '0' else '(1 - (v.embedding <=> $8))' end,
        case
            when rank_by_entries.of_vectors is null then 'entry_lengths v join users using (user_key)'
            else format('%I v', rank_by_entries.of_vectors)
        end
    )
    using
        _share_of_entries,
        rank_by_entries.of_user_key,
        _everybody,
        rank_by_entries.filter,
        rank_by_entries.min_entries,
        _off_by,
        rank_by_entries.k,
        rank_by_entries.self;
end
$$;

comment on function rank_by_entries(bigint, bigint, jsonb, bigint, text, vector) is
'Internal. The k users most alike to one user, by the cosine of their tf-idf weights over entries; with a relation of
vectors and the vector of the user, by a third of that cosine and two thirds of the former.
Example: select * from rank_by_entries(1, 5);';
