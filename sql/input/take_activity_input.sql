-- Adds what a statement has put into activity_input to users, entries and activity, and empties activity_input again.
--
-- It takes the lock of the loader, so that sessions that add activity take turns instead of deadlocking. Every
-- statement after that sees what the others have committed; under REPEATABLE READ it cannot, and 'on conflict' then
-- raises a serialization failure (40001) where they have added the same things.
--
-- Rows of users who were forgotten are left out, counted in forgotten_users, and warned of.
--
-- 'execute' has each statement planned for the rows at hand: a plan kept from one row takes minutes for many.
--
-- It runs with its owner's rights, so it first narrows search_path to the space: see refresh().
create function take_activity_input()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _gone text[] := '{}';
    _left_out bigint;
begin
    perform narrow_search_path();

    if not exists (select from input) then
        return null;
    end if;

    perform check_base('Put it there: insert into %I.activity_input …');

    perform pg_advisory_xact_lock(lock_key('load'));

    if exists (select from forgotten_users) then
        execute $update$
            with gone as (
                select user_hash(i.user_id) as user_hash, i.user_id, count(*) as rows
                from input i
                group by i.user_id
            ),
            counted as (
                update forgotten_users f
                set rows_left_out = f.rows_left_out + g.rows
                from (select g.user_hash, sum(g.rows) as rows from gone g group by g.user_hash) g
                where f.user_hash = g.user_hash
                returning f.user_hash
            )
            select coalesce(array_agg(g.user_id), '{}'), sum(g.rows)
            from gone g
            join counted using (user_hash)
        $update$
        into _gone, _left_out;
    end if;

    if _left_out > 0 then
        raise warning using
            message = format('%s rows of users who were forgotten were left out', _left_out),
            hint = 'To let one return: delete from forgotten_users where user_hash = user_hash(''…'');';
    end if;

    execute $insert$
        insert into users (user_id)
        select distinct n.text
        from (select distinct user_id from input where user_id <> all ($1)) i
        cross join lateral (select normalize_text(i.user_id) as text offset 0) n
        where not exists (select from users u where u.user_id = n.text)
        order by n.text
        on conflict do nothing
    $insert$
    using _gone;

    execute $insert$
        insert into entries (entry)
        select distinct on (text_hash(n.text)) n.text
        from (select distinct entry from input where user_id <> all ($1)) i
        cross join lateral (select normalize_text(i.entry) as text offset 0) n
        where not exists (select from entries e where text_hash(e.entry) = text_hash(n.text))
        order by text_hash(n.text)
        on conflict do nothing
    $insert$
    using _gone;

    execute $insert$
        with user_keys as materialized (
            select i.user_id, u.user_key
            from (select distinct user_id from input where user_id <> all ($1)) i
            cross join lateral (select normalize_text(i.user_id) as text offset 0) n
            join users u on u.user_id = n.text
        ),
        entry_keys as materialized (
            select i.entry, e.entry_key
            from (select distinct entry from input) i
            cross join lateral (select text_hash(normalize_text(i.entry)) as hash offset 0) n
            join entries e on text_hash(e.entry) = n.hash
        )
        insert into activity as a (user_key, entry_key, frequency, first_at, last_at)
        select u.user_key, e.entry_key, sum(i.frequency), min(i.occurred_at), max(i.occurred_at)
        from input i
        join user_keys u using (user_id)
        join entry_keys e using (entry)
        group by u.user_key, e.entry_key
        order by u.user_key, e.entry_key
        on conflict (user_key, entry_key) do update
        set frequency = a.frequency + excluded.frequency,
            first_at = least(a.first_at, excluded.first_at),
            last_at = greatest(a.last_at, excluded.last_at)
    $insert$
    using _gone;

    delete from activity_input;
    return null;
end
$$;

revoke execute on function take_activity_input() from public;

comment on function take_activity_input() is
'Internal. Trigger function: brings the rows that arrive in activity_input into users, entries and activity.';

create trigger take_activity_input
after insert on activity_input
referencing new table as input
for each statement execute function take_activity_input();
