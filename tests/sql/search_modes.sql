-- The evidence for horror: the entries that stand out, and the users who have them.
select entry, round(similarity::numeric, 3) as similarity, round(excess::numeric, 3) as excess
from admitted_entries(embed('horror')) join entries using (entry_key);
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('horror', mode => 'hybrid');
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('horror', mode => 'evidence');
select rank, user_id, round(score::numeric, 3) as score, matched_entries from search_users('horror', mode => 'mean');

-- k and filter are exact in every mode.
select rank, user_id from search_users('horror', k => 1, mode => 'evidence');
select rank, user_id from search_users('horror', k => 1, filter => '{"country": "France"}', mode => 'evidence');
select rank, user_id from search_users('horror', filter => '{"country": "France"}', mode => 'mean');
select rank, user_id from search_users('horror', filter => '{"country": "France"}');

-- breadth: at 0.5 the strength of the interest decides, at 1 its share of everything.
select rank, user_id, round(score::numeric, 3) as score from search_users('Coffee Bar', k => 2, mode => 'evidence', breadth => 0.5);
select rank, user_id, round(score::numeric, 3) as score from search_users('Coffee Bar', k => 2, mode => 'evidence', breadth => 1);
select * from search_users('horror', breadth => 0.4);
select * from search_users('horror', breadth => 1.1);
select * from search_users('horror', breadth => 'nan');

-- evidence_weight: 0 leaves the order of the mean.
select rank, user_id, round(score::numeric, 3) as score from search_users('horror', evidence_weight => 0);
select rank, user_id, round(score::numeric, 3) as score from search_users('horror', evidence_weight => 10);
select * from search_users('horror', evidence_weight => -1);

-- Ties: ann's twin has the same score in every mode, and the next id.
insert into users (user_id) values ('ann again');
insert into activity (user_key, entry_key, frequency)
select t.user_key, a.entry_key, a.frequency
from activity a
join users u using (user_key)
join users t on t.user_id = 'ann again'
where u.user_id = 'ann';
call refresh();
select m.mode, s.rank, s.user_id, round(s.score::numeric, 3) as score
from unnest(array['hybrid', 'evidence', 'mean']) m (mode)
cross join lateral search_users('ski', k => 2, mode => m.mode) s
order by m.mode, s.rank;

-- The policies of the space are the defaults of the knobs, after a refresh.
update space set breadth = 1, evidence_weight = 10;
select stale from status;
call refresh();
select rank, user_id, round(score::numeric, 3) as score from search_users('horror');
select rank, user_id, round(score::numeric, 3) as score from search_users('horror', mode => 'evidence');
select round(sum(mean_part + evidence_part)::numeric, 3) as score from explain_match('cy', 'horror');

-- Weightings.
select p.weighting, p.entry, round(entry_weight(p.frequency, p.weighting)::numeric, 3) as weight
from (
    select w.weighting, e.entry, a.frequency
    from unnest(array['log', 'frequency', 'sqrt', 'binary']) with ordinality w (weighting, n)
    cross join activity a
    join entries e using (entry_key)
    join users u using (user_key)
    where u.user_id = 'bob'
    order by w.n, e.entry
) p;

-- half_life: what bob did on the slopes a year ago has faded, what has no time has not.
update activity a set last_at = now() - interval '360 days'
from users u, entries e
where u.user_key = a.user_key and e.entry_key = a.entry_key and u.user_id = 'bob' and e.entry = 'Ski Aspen';
select entry, round(weight::numeric, 3) as weight from weighted_activity join users using (user_key)
join entries using (entry_key) where user_id = 'bob' order by entry;
update space set half_life = '180 days', breadth = 0.75, evidence_weight = 2;
select stale from status;
call refresh();
select entry, round(weight::numeric, 3) as weight from weighted_activity join users using (user_key)
join entries using (entry_key) where user_id = 'bob' order by entry;
select rank, user_id, round(score::numeric, 2) as score from search_users('ski', mode => 'mean');
select rank, user_id, matched_entries from search_users('ski');
\set VERBOSITY terse
update space set half_life = '-1 day';
update space set breadth = 2;
update space set evidence_weight = -1;
