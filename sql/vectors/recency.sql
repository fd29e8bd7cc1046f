-- What age leaves of a weight.
create function recency(
    last_at timestamptz,
    half_life interval,
    now timestamptz
)
returns double precision
language sql
immutable
parallel safe
begin atomic
    select case
        when recency.last_at >= recency.now or recency.half_life is null or recency.last_at is null then 1
        else 0.5 ^ (
            extract(epoch from recency.now - recency.last_at)::double precision
            / extract(epoch from recency.half_life)::double precision
        )
    end;
end;

comment on function recency(timestamptz, interval, timestamptz) is
'Internal. The factor 0.5 ^ ((now - last_at) / half_life) by which activity fades; 1 without a half_life, and where no
time is known.
Example: select recency(now() - interval ''90 days'', half_life => ''90 days'', now => now());';
