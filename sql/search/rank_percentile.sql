-- How far up somebody of some rank is.
create function rank_percentile(
    rank bigint,
    candidates bigint
)
returns double precision
language sql
immutable
parallel safe
begin atomic
    select 100.0::double precision * greatest(rank_percentile.candidates - rank_percentile.rank, 0)
        / nullif(rank_percentile.candidates, 0);
end;

comment on function rank_percentile(bigint, bigint) is
'Internal. How many of a hundred candidates come after the one of this rank: the first of ten has 90, the last 0.
Example: select rank_percentile(1, 10);';
