-- Users who match a description.
create function search_users(
    query text,
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
begin
    return query
    select *
    from search_users(
        query => embed(search_users.query),
        k => search_users.k,
        filter => search_users.filter,
        mode => search_users.mode,
        breadth => search_users.breadth,
        evidence_weight => search_users.evidence_weight,
        min_entries => search_users.min_entries,
        padded => search_users.padded
    );
end
$$;

comment on function search_users(text, bigint, jsonb, text, double precision, double precision, bigint, boolean) is
'Users who match a description, best first. By mode hybrid the score weighs the user vector together with the evidence
of single entries, so that a strong interest is found beside everyday noise; by evidence that alone; by mean the
cosine of the user vector. matched_entries are the entries that speak for it most. Users whose evidence is 0 are there
by their vector alone, to make up k; padded => false leaves them out. A score is comparable within one answer alone;
percentile, how many of a hundred users come after this one, and times, how many times the evidence of an average user
speaks for this one (null by mode mean), are figures to show to people. filter keeps users whose attributes contain it,
min_entries those of at least so many entries. A smaller breadth (0.5 to 1) finds anyone showing signal, 1 who does
mostly this; it and evidence_weight are those of the space unless given.
Example: select * from search_users(''ski enthusiasts'', k => 10, filter => ''{"country": "France"}'');';
