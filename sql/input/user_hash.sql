-- What is left of a user id that was forgotten: enough to know it again, not to read it.
create function user_hash(
    user_id text
)
returns bytea
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return (
        select sha256(convert_to(s.salt || normalize_text(user_hash.user_id), 'UTF8'))
        from space s
    );
end
$$;

comment on function user_hash(text) is
'Internal. The hash under which a user id is in forgotten_users, if it was forgotten.
Example: select user_hash(''user_ski_only'');';
