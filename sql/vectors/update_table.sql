-- Brings one table of those that stand in place of materialized views up to date.
--
-- Rows of users depend on their own activity and on the vectors of their entries, so those of the others stay; but
-- lengths on the idf of all entries, and centred vectors on the average user. What is small is computed as a whole, and
-- the constant vectors, which make nothing but speed, when everything is.
create procedure update_table(
    relation text,
    key text,
    user_keys bigint[],
    every_row boolean,
    inout idf_changed boolean
)
language plpgsql
set search_path from current
as $$
declare
    _everybody constant boolean := update_table.user_keys is null;
begin
    perform narrow_search_path();

    if update_table.relation = 'entry_postings' then
        call update_postings(update_table.user_keys);
    elsif update_table.relation = 'entry_stats' and not _everybody then
        call update_entry_stats(update_table.idf_changed);
    elsif update_table.relation <> 'common_weights' or _everybody then
        if update_table.relation = 'user_vectors' then
            delete from user_vectors v
            where (_everybody or v.user_key = any (update_table.user_keys))
                and not exists (
                    select from users u where (u.user_key, u.user_id) = (v.user_key, v.user_id)
                );
        end if;

        call update_copy(
            update_table.relation,
            update_table.key,
            case
                when update_table.relation = 'user_vectors'
                    or update_table.relation = 'centered_user_vectors' and not update_table.every_row
                    or update_table.relation = 'entry_lengths' and not update_table.idf_changed
                then update_table.user_keys
            end,
            update_table.every_row,
            case when update_table.relation = 'entry_stats' then 'changed_entries' end
        );
    end if;
end
$$;

revoke execute on procedure update_table(text, text, bigint[], boolean, boolean) from public;

comment on procedure update_table(text, text, bigint[], boolean, boolean) is
'Internal. In a space of tables, brings one of them up to date, given which users have changed, null if that may be
anybody, whether every vector has, and, once entry_stats are up to date, whether the idf of any entry has.
Example: call refresh();';
