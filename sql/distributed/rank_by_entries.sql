-- The users most alike to one user by the entries that both have: of every machine its k, of these the first.
--
-- What the one user has goes to all machines, which compare their own. A refresh computes all lengths: they are exact.
create or replace function rank_by_entries(
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
    _entry_keys bigint[];
    _weights double precision[];
    _length real;
begin
    with held as materialized (
        select a.entry_key, a.frequency
        from activity a
        where a.user_key = rank_by_entries.of_user_key
    )
    select array_agg(h.entry_key), array_agg(ln(1 + h.frequency) * s.idf * s.idf) into _entry_keys, _weights
    from held h
    join entry_stats s using (entry_key)
    where s.idf > 0;

    select l.length into _length
    from entry_lengths l
    where l.user_key = rank_by_entries.of_user_key;

    return query execute format(
        'select
            u.user_id,
            (1 - $9) * %s + $9 * least(coalesce(p.product / nullif(l.length * $4, 0), 0), 1) as similarity
        from %I v
        join users u on u.user_key = v.user_key and u.attributes @> $6
        %s
        left join entry_lengths l on l.user_key = v.user_key
        left join (
            select a.user_key, sum(x.weight * ln(1 + a.frequency)) as product
            from activity a
            join unnest($1, $2) x (entry_key, weight) on x.entry_key = a.entry_key
            group by a.user_key
        ) p on p.user_key = v.user_key
        where v.user_key <> $3
        order by similarity desc, u.user_id
        limit $5',
        case when rank_by_entries.of_vectors is null then '0' else '(1 - (v.embedding <=> $8))' end,
        coalesce(rank_by_entries.of_vectors, 'entry_lengths'),
        case
            when rank_by_entries.min_entries > 1
                then 'join user_vectors c on c.user_key = v.user_key and c.entries >= $7'
        end
    )
    using
        _entry_keys,
        _weights,
        rank_by_entries.of_user_key,
        _length,
        rank_by_entries.k,
        stored_filter(rank_by_entries.filter),
        rank_by_entries.min_entries,
        rank_by_entries.self,
        _share_of_entries;
end
$$;
