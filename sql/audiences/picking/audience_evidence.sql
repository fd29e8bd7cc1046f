-- The entries that are evidence for the search of a definition; null by mode mean, which asks for none.
create function audience_evidence(
    definition jsonb
)
returns table (
    entry_keys bigint[],
    excesses double precision[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    if audience_evidence.definition ->> 'mode' = 'mean' then
        return query
        select null::bigint[], null::double precision[];
    else
        return query
        select coalesce(array_agg(a.entry_key), '{}'), coalesce(array_agg(a.excess), '{}')
        from admitted_entries(audience_query(audience_evidence.definition)) a;
    end if;
end
$$;

comment on function audience_evidence(jsonb) is
'Internal. The entries that are evidence for the search of an audience, with their excess; null by mode mean.
Example: select entry_keys from audience_evidence(''{"search": "ski enthusiasts", "size": 3}'');';
