-- What a copy of an audience has to catch up with.
--
-- Each user comes once, with the last change. One who came and left in between is told of too: the copy may have the
-- user, from a reading that was never confirmed.
create function read_changes(
    audience text,
    cursor text
)
returns table (
    change_id bigint,
    user_id text,
    change text,
    changed_at timestamptz
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _cursor audience_cursors%rowtype;
begin
    perform check_foundations(jsonb_build_object('any_of', array[read_changes.audience]));

    if coalesce(read_changes.cursor, '') !~ e'\\S' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the cursor needs a name',
            hint = 'For example: select * from read_changes(''skiers'', ''crm'');';
    end if;

    select c.* into _cursor
    from audience_cursors c
    where (c.audience, c.cursor) = (read_changes.audience, read_changes.cursor);

    return query
    with latest as (
        select coalesce(max(c.change_id), 0) as change_id
        from audience_changes c
        where c.audience = read_changes.audience
    )
    select c.change_id, c.user_id, c.change, c.changed_at
    from (
        select l.change_id, m.user_id, 'entered' as change, a.refreshed_at as changed_at, m.rank
        from audience_members m
        join audiences a using (audience)
        cross join latest l
        where m.audience = read_changes.audience and _cursor.change_id is null
        union all
        select c.change_id, c.user_id, c.change, c.changed_at, null
        from (
            select distinct on (c.user_id) c.change_id, c.user_id, c.change, c.changed_at
            from audience_changes c
            where c.audience = read_changes.audience
                and c.change_id > coalesce(_cursor.change_id, _cursor.started_at_change)
            order by c.user_id, c.change_id desc
        ) c
        where _cursor.change_id is not null or c.change = 'left'
    ) c
    order by c.change_id, c.rank, c.user_id;
end
$$;

comment on function read_changes(text, text) is
'What a copy of an audience, kept elsewhere under the name of a cursor, has to catch up with: who entered or left since
the change that was last confirmed, each user once; before the first is confirmed all members, and who has left since
the cursor was opened (open_cursor). Nothing is taken off: when the copy has it, confirm the highest change_id with
confirm_changes. What is read again after a failure does no harm, since to enter or to leave twice is the same as once.
Example: select change_id, user_id, change from read_changes(''skiers'', ''crm'');';
