-- How long one user's tf-idf weights over entries are: by the idf of now, where entry_lengths goes by the settled one.
create function entry_length(
    of_user_key bigint
)
returns real
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return (
        select sqrt(sum(ln(1 + a.frequency) * ln(1 + a.frequency) * s.idf * s.idf))::real
        from activity a
        join entry_stats s using (entry_key)
        where a.user_key = entry_length.of_user_key
    );
end
$$;

comment on function entry_length(bigint) is
'Internal. Square root of the summed squares of ln(1 + frequency) times idf, over the entries of a user; null for who
has none.
Example: select entry_length(1);';
