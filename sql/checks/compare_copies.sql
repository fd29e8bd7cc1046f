-- Compares what a refresh keeps with the live views that define it, for some users drawn at random and for all entries.
create function compare_copies(
    sample_size bigint default 1000
)
returns table (
    relation text,
    compared bigint,
    different bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _least constant double precision := 1e-6;
    _user_keys constant bigint[] := array(
        select u.user_key
        from users u
        order by random()
        limit compare_copies.sample_size
    );
begin
    return query
    select
        'entry_stats',
        count(*),
        count(*) filter (where (
            c.users = l.users
            and abs(c.frequency - l.frequency) <= _least * l.frequency
            and abs(c.idf - l.idf) <= _least
        ) is not true)
    from entry_stats c
    full join entry_stats_live l using (entry_key);

    return query
    select
        'entry_lengths',
        count(*),
        count(*) filter (where abs(c.length - l.length) <= _least * greatest(l.length, 1) is not true)
    from (select * from entry_lengths c where c.user_key = any (_user_keys)) c
    full join (select * from entry_lengths_live l where l.user_key = any (_user_keys)) l using (user_key);

    return query
    select
        'user_vectors',
        count(*),
        count(*) filter (where (
            c.user_id = l.user_id
            and c.entries = l.entries
            and abs(c.weight - l.weight) <= _least * greatest(l.weight, 1)
            and c.embedding <-> l.embedding <= _least
        ) is not true)
    from (select * from user_vectors c where c.user_key = any (_user_keys)) c
    full join (select * from user_vectors_live l where l.user_key = any (_user_keys)) l using (user_key);

    return query
    select
        'centered_user_vectors',
        count(*),
        count(*) filter (where c.embedding <-> l.embedding <= _least is not true)
    from (select * from centered_user_vectors c where c.user_key = any (_user_keys)) c
    full join (select * from centered_user_vectors_live l where l.user_key = any (_user_keys)) l using (user_key);

    return query
    select
        'entry_postings',
        count(*),
        count(*) filter (where abs(c.strength - l.strength) <= _least is not true)
    from (
        select u.user_key, o.entry_key, u.strength
        from entry_postings o
        cross join lateral unnest(o.user_keys, o.strengths) u (user_key, strength)
        where u.user_key = any (_user_keys) and u.user_key not in (select t.user_key from late_users t)
        union all
        select t.user_key, t.entry_key, t.strength
        from late_postings t
        where t.user_key = any (_user_keys)
    ) c
    full join (
        select p.user_key, p.entry_key, p.strength from user_postings_live p where p.user_key = any (_user_keys)
    ) l using (user_key, entry_key);
end
$$;

comment on function compare_copies(bigint) is
'Internal. How many rows of what a refresh keeps were compared with the live views that define them, and how many of
these differ beyond the sixth digit: all entries, and the users of a sample.
Example: select * from compare_copies(sample_size => 100);';
