-- Brings one table of those that stand in place of materialized views up to date.
--
-- Rows of users depend on their own activity and on the vectors of their entries, so those of the others stay; but
-- lengths on the settled idf of their entries too, and centred vectors on the average user. What is small is computed
-- as a whole, and the constant vectors, which make nothing but speed, when everything is.
create procedure update_table(
    relation text,
    key text,
    user_keys bigint[],
    every_row boolean,
    inout entry_keys bigint[]
)
language plpgsql
set search_path from current
as $$
declare
    _everybody constant boolean := update_table.user_keys is null;
    _keys bigint[];
begin
    perform narrow_search_path();

    if update_table.relation = 'entry_postings' then
        call update_postings(update_table.user_keys);
        return;
    elsif update_table.relation = 'entry_stats' and not _everybody then
        call update_entry_stats(update_table.entry_keys);
        return;
    elsif update_table.relation = 'common_weights' and not _everybody then
        return;
    end if;

    if update_table.relation = 'user_vectors' then
        delete from user_vectors v
        where (_everybody or v.user_key = any (update_table.user_keys))
            and not exists (
                select from users u where (u.user_key, u.user_id) = (v.user_key, v.user_id)
            );
    end if;

    if update_table.relation = 'user_vectors'
        or update_table.relation = 'centered_user_vectors' and not update_table.every_row then
        _keys := update_table.user_keys;
    elsif update_table.relation = 'entry_lengths' and not _everybody then
        _keys := array(
            select k.user_key
            from unnest(update_table.user_keys) k (user_key)
            union
            select a.user_key
            from activity a
            where a.entry_key = any (update_table.entry_keys)
        );
    end if;

    call update_copy(
        update_table.relation,
        update_table.key,
        _keys,
        update_table.every_row,
        case when update_table.relation = 'entry_stats' then 'changed_entries' end
    );
end
$$;

revoke execute on procedure update_table(text, text, bigint[], boolean, bigint[]) from public;

comment on procedure update_table(text, text, bigint[], boolean, bigint[]) is
'Internal. In a space of tables, brings one of them up to date, given which users have changed, null if that may be
anybody, whether every vector has, and, once entry_stats are up to date, the entries whose settled_idf has.
Example: call refresh();';
