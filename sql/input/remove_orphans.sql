-- Removes what stands under keys that nobody has, of the relations that changed; says whether there was any activity.
--
-- Deletions remove what they see, and wait for what they must see. What is left to this is activity that somebody
-- inserts by hand, which takes no turns, and deletions under REPEATABLE READ, which wait and still do not see. To look
-- comes first, since that is faster and mostly finds none; where no entry is gone and it is known whose activity has
-- changed, it looks at theirs alone.
create function remove_orphans(
    changed text[],
    user_keys bigint[] default null
)
returns boolean
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
declare
    _user_keys constant bigint[] := case
        when not 'entries' = any (remove_orphans.changed) then remove_orphans.user_keys
    end;
    _found boolean := false;
begin
    if 'activity' = any (remove_orphans.changed)
        or 'users' = any (remove_orphans.changed)
        or 'entries' = any (remove_orphans.changed) then
        select exists (
            select from activity a
            where (_user_keys is null or a.user_key = any (_user_keys))
                and not exists (select from users u where u.user_key = a.user_key)
        ) or exists (
            select from activity a
            where (_user_keys is null or a.user_key = any (_user_keys))
                and not exists (select from entries e where e.entry_key = a.entry_key)
        ) into _found;
    end if;

    if _found then
        delete from activity a
        where not exists (select from users u where u.user_key = a.user_key)
            or not exists (select from entries e where e.entry_key = a.entry_key);

        delete from source_activity a
        where not exists (select from users u where u.user_key = a.user_key)
            or not exists (select from entries e where e.entry_key = a.entry_key);
    end if;

    if 'users' = any (remove_orphans.changed) then
        delete from segment_assignments m
        where not exists (select from users u where u.user_key = m.user_key);

        delete from segment_changes c
        where not exists (select from users u where u.user_id = c.user_id);

        perform leave_audiences(array(
            select distinct m.user_id
            from audience_members m
            where not exists (select from users u where u.user_id = m.user_id)
        ));
    end if;

    return _found;
end
$$;

revoke execute on function remove_orphans(text[], bigint[]) from public;

comment on function remove_orphans(text[], bigint[]) is
'Internal. Removes activity of users and entries that are gone, and assignments, segment_changes and memberships of
users, if these relations changed; true if there was such activity. user_keys are those whose activity has changed, if
that is known.
Example: select remove_orphans(''{activity,users}'');';
