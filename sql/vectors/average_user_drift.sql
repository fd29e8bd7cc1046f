-- How far the average user is from the one that centered_user_vectors are seen from.
create function average_user_drift()
returns double precision
language sql
stable
parallel safe
begin atomic
    select a.embedding <-> l.embedding
    from average_user a
    cross join average_user_live l;
end;

comment on function average_user_drift() is
'Internal. How far, in Euclidean distance, the mean of user_vectors is from average_user; null if there is none.
Example: select average_user_drift();';
