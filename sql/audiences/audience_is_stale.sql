-- Whether something has changed since the last refresh that could change who belongs to an audience. It runs with its
-- owner's rights, for those who may read the BI views and nothing else.
create function audience_is_stale(
    audience text
)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path from current
as $$
begin
    return (
        select a.inputs is distinct from audience_inputs(a.definition)
        from audiences a
        where a.audience = audience_is_stale.audience
    );
end
$$;

revoke execute on function audience_is_stale(text) from public;

comment on function audience_is_stale(text) is
'Internal. Whether what the members of an audience were computed from has changed since; null without such an audience.
Example: select audience, audience_is_stale(audience) from audiences;';
