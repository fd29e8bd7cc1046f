-- What each entry of a user adds to the user's match with a description.
create function explain_match(
    user_id text,
    query text,
    mode text default 'hybrid',
    breadth double precision default null,
    evidence_weight double precision default null
)
returns table (
    entry text,
    frequency double precision,
    weight double precision,
    similarity double precision,
    contribution double precision,
    mean_part double precision,
    evidence_part double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return query
    select *
    from explain_match(
        user_id => explain_match.user_id,
        query => embed(explain_match.query),
        mode => explain_match.mode,
        breadth => explain_match.breadth,
        evidence_weight => explain_match.evidence_weight
    );
end
$$;

comment on function explain_match(text, text, text, double precision, double precision) is
'Why a user matches a description: each embedded entry with its weight, its similarity to the query, and what it adds
to the score of a search with the same mode, breadth and evidence_weight; contribution sums to the cosine of user and
query.
Example: select * from explain_match(''user_ski_with_daily_life'', ''ski enthusiasts'');';
