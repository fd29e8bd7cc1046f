-- Users who match a query vector.
create function search_users(
    query vector,
    k bigint default 20,
    filter jsonb default '{}',
    mode text default 'hybrid',
    breadth double precision default null,
    evidence_weight double precision default null,
    min_entries bigint default 1,
    padded boolean default true
)
returns table (
    rank bigint,
    user_id text,
    score double precision,
    matched_entries text[],
    evidence double precision,
    percentile double precision,
    times double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _entry_keys bigint[];
    _excesses double precision[];
    _ranked record;
    _candidates bigint;
begin
    perform check_search(
        search_users.mode,
        search_users.breadth,
        search_users.evidence_weight,
        search_users.padded
    );

    if search_users.mode <> 'mean' then
        select
            coalesce(array_agg(a.entry_key), '{}'),
            coalesce(array_agg(a.excess), '{}')
        into _entry_keys, _excesses
        from admitted_entries(search_users.query) a;
    end if;

    select
        array_agg(r.user_key order by r.ordinality) as user_keys,
        array_agg(r.user_id order by r.ordinality) as user_ids,
        array_agg(r.score order by r.ordinality) as scores,
        array_agg(r.evidence order by r.ordinality) as evidence,
        array_agg(r.times order by r.ordinality) as times
    into _ranked
    from rank_users(
        search_users.query,
        _entry_keys,
        _excesses,
        search_users.k,
        search_users.filter,
        search_users.mode,
        search_users.breadth,
        search_users.evidence_weight,
        search_users.min_entries,
        search_users.padded
    ) with ordinality r;

    _candidates := count_ranked(search_users.filter, search_users.min_entries);

    return query
    select
        r.rank,
        r.user_id,
        r.score,
        coalesce(m.entries, '{}'),
        r.evidence,
        rank_percentile(r.rank, _candidates),
        r.times
    from unnest(_ranked.user_keys, _ranked.user_ids, _ranked.scores, _ranked.evidence, _ranked.times)
        with ordinality r (user_key, user_id, score, evidence, times, rank)
    left join matched_entries(search_users.query, _ranked.user_keys, _entry_keys, _excesses) m using (user_key)
    order by r.rank;
end
$$;

comment on function search_users(vector, bigint, jsonb, text, double precision, double precision, bigint, boolean) is
'Users who match a query vector, best first, by mode hybrid (user vector and evidence), evidence or mean (the cosine of
the user vector); matched_entries are the three entries that speak for it most: those that made the evidence, or by
mode mean those that contribute most to the cosine. evidence is 0 of users who are there by their vector alone, and
null by mode mean. percentile is how many of a hundred of the users whom filter and min_entries admit come after this
one; times, how many times the evidence of an average user, of all there are, speaks for this one: 0 nothing, 1 as
much as for an average user; null by mode mean, and where nobody has any. The first rows are the same whatever k is.
breadth and evidence_weight are those of the space unless given.
Example: select * from search_users(embed(''ski enthusiasts'') - embed(''horror fans''), k => 10);';
