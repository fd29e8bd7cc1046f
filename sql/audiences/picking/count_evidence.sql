-- How many of those who could be in an audience have done anything that speaks for it.
create function count_evidence(
    definition jsonb
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _entry_keys bigint[];
    _users bigint;
begin
    if not count_evidence.definition ? 'search' then
        return null;
    end if;

    _entry_keys := array(select a.entry_key from admitted_entries(audience_query(count_evidence.definition)) a);

    select count(*) into _users
    from admissible_users(count_evidence.definition) u
    join (select distinct a.user_key from activity a where a.entry_key = any (_entry_keys)) a using (user_key);

    return _users;
end
$$;

comment on function count_evidence(jsonb) is
'Internal. How many users who could be in an audience have an entry that is evidence for its search; null without a
search.
Example: select count_evidence(''{"search": "ski enthusiasts", "size": 3}'');';
