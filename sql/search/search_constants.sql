-- The constants of search: everything that is a number in its formula and no policy of a space.
create function search_constants(
    out most_entries bigint,
    out deviations double precision,
    out noise double precision,
    out examples bigint,
    out feedback double precision,
    out centering double precision,
    out strongest double precision,
    out shortlist bigint,
    out shown_entries bigint
)
returns record
language sql
immutable
parallel safe
begin atomic
    select 500, 1.5, 1e-6, 10, 0.5, 0.5, 0.5, 1000, 3;
end;

comment on function search_constants() is
'Internal. The constants of search: how many entries can be evidence (most_entries); how many standard deviations above
the mean, and a trifle (noise), their similarity must be; by how many of the nearest entries (examples) and how far
(feedback) the query is moved, and how far away from what all entries have in common (centering); what the strongest
entry of a user counts for beside the others (strongest); how many users are scored first (shortlist); and how many
matched_entries are shown.
Example: select most_entries, deviations from search_constants();';
