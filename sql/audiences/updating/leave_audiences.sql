-- Removes users who are deleted from all audiences of the space.
--
-- That they have left is a change like any other: whoever keeps a copy of the audience must hear of it.
create function leave_audiences(
    user_ids text[]
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform lock_audiences();

    if leave_audiences.user_ids = '{}' or not exists (select from audiences) then
        return;
    end if;

    delete from audience_judgements j
    where j.user_id = any (leave_audiences.user_ids);

    with departed as (
        delete from audience_members m
        where m.user_id = any (leave_audiences.user_ids)
        returning m.audience, m.user_id
    ),
    noted as (
        insert into audience_changes (audience, user_id, change, why)
        select d.audience, d.user_id, 'left', 'deleted'
        from departed d
        order by d.audience, d.user_id
    )
    update audiences a
    set members = a.members - d.members
    from (select d.audience, count(*) as members from departed d group by d.audience) d
    where a.audience = d.audience;
end
$$;

comment on function leave_audiences(text[]) is
'Internal. Removes users who are deleted from all audiences, and notes that they left.
Example: select leave_audiences(array[''nobody'']);';
