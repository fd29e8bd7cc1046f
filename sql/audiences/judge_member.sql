-- Keeps what a person says of a user: whether the user belongs to an audience.
create procedure judge_member(
    audience text,
    user_id text,
    belongs boolean
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_foundations(jsonb_build_object('any_of', array[judge_member.audience]));

    if not exists (select from users u where u.user_id = judge_member.user_id) then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', judge_member.user_id),
            hint = format('Draw some: select user_id, top_entries from sample_members(%L);', judge_member.audience);
    end if;

    if judge_member.belongs is null then
        delete from audience_judgements j
        where (j.audience, j.user_id) = (judge_member.audience, judge_member.user_id);
    else
        insert into audience_judgements as j (audience, user_id, belongs)
        values (judge_member.audience, judge_member.user_id, judge_member.belongs)
        on conflict on constraint audience_judgements_pkey do update
        set belongs = excluded.belongs, judged_by = session_user, judged_at = now();
    end if;
end
$$;

comment on procedure judge_member(text, text, boolean) is
'Keeps what a person says of a user: belongs to the audience, true or false; null takes an answer back.
Example: call judge_member(''skiers'', ''user_ski_only'', true);';
