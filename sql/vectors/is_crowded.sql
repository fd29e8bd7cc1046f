-- Whether an answer of an index is full of equals, behind which nearer ones may be hidden.
--
-- Where more vectors are equal than a node of an HNSW graph has neighbours, they know but each other.
create function is_crowded(
    distances double precision[]
)
returns boolean
language sql
immutable
parallel safe
begin atomic
    select coalesce(max(e.vectors) >= 50, false)
    from (
        select count(*) as vectors
        from unnest(is_crowded.distances) d (distance)
        group by round(d.distance * 1e6)
    ) e;
end;

comment on function is_crowded(double precision[]) is
'Internal. Whether 50 of some distances, or more, are the same to six digits.
Example: select is_crowded(array[0.1, 0.2, 0.2]);';
