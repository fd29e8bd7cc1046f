-- Brings the postings of search up to date, for some users or for all.
--
-- A user stands in as many arrays as he has entries, and these are long. So the postings of users who change are kept
-- beside the arrays, and looked up there, until a tenth of the users are, or as many as a search can hash in little
-- memory. Whoever is deleted is in no array afterwards.
create procedure update_postings(
    user_keys bigint[]
)
language plpgsql
set search_path from current
as $$
declare
    _most_late constant double precision := (
        select least(0.1 * count(*), 100000) from user_vectors
    );
begin
    perform narrow_search_path();

    insert into late_users (user_key)
    select k.user_key
    from unnest(update_postings.user_keys) k (user_key)
    on conflict do nothing;

    if update_postings.user_keys is null
        or (select count(*) from late_users) > _most_late
        or exists (
            select from unnest(update_postings.user_keys) k (user_key)
            where not exists (select from users u where u.user_key = k.user_key)
        ) then
        delete from late_postings;
        delete from late_users;
        call update_copy('entry_postings', 'entry_key');
        return;
    end if;

    delete from late_postings p
    where p.user_key = any (update_postings.user_keys);

    insert into late_postings (user_key, entry_key, strength)
    select p.user_key, p.entry_key, p.strength
    from user_postings_live p
    where p.user_key = any (update_postings.user_keys);
end
$$;

revoke execute on procedure update_postings(bigint[]) from public;

comment on procedure update_postings(bigint[]) is
'Internal. In a space of tables, brings entry_postings, or late_postings in place of it, up to date for these users; for
all, if null.
Example: call refresh();';
