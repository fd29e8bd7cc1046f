-- The vector of every session: each entry in it counts the same. Sessions are looked up one by one, so that a question
-- about a few of them costs no more than these.
create view session_vectors as
select u.user_id, s.session_id, d.entries, l2_normalize(d.direction) as embedding
from sessions s
join users u using (user_key)
cross join lateral (
    select count(*) as entries, sum(v.embedding) as direction
    from entry_vectors v
    where v.entry_key = any (s.entry_keys)
) d
where not cancels_out(d.direction, d.entries);

comment on view session_vectors is
'The vector of every order or session (load --session): the mean of its entries, at unit length, as you read it. Ask
what one is about with search_entries, or compare it with attribute_vectors.
Example: select user_id, session_id, entries from session_vectors order by entries desc limit 5;';
comment on column session_vectors.user_id is 'The id your own systems use.';
comment on column session_vectors.session_id is 'The id of the session; unique among those of the user.';
comment on column session_vectors.entries is 'How many of its distinct entries have a vector.';
comment on column session_vectors.embedding is 'The mean of their vectors, of unit length.';
