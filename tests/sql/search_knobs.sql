-- evidence tells those whose entries speak for it from those who are there by their vector alone.
select rank, user_id, matched_entries, round(evidence::numeric, 3) as evidence from search_users('horror');
select rank, user_id, round(evidence::numeric, 3) as evidence from search_users('horror', padded => false);
select rank, user_id, evidence from search_users('horror', k => 2, mode => 'mean');
select * from search_users('horror', mode => 'mean', padded => false);

-- How many of a hundred come after, and how many times the evidence of an average user there is, by each mode.
select m.mode, s.rank, s.user_id, round(s.percentile::numeric) as percentile, round(s.times::numeric, 2) as times
from unnest(array['hybrid', 'evidence', 'mean']) m (mode)
cross join lateral search_users('horror', mode => m.mode) s
order by m.mode, s.rank;
select rank, user_id, round(percentile::numeric) as percentile, round(times::numeric, 2) as times
from search_users('horror', filter => '{"country": "Spain"}');
select distinct times from search_users('ski', mode => 'evidence');

-- Users of two entries at least, or three.
select rank, user_id from search_users('horror', min_entries => 2);
select rank, user_id from search_users('horror', min_entries => 3);
select rank, user_id from similar_users('ann', min_entries => 3);
select rank, user_id from similar_users('ann', filter => '{"country": "Spain"}');
select rank, user_id from similar_users('ann', by => 'both', filter => '{"country": "Spain"}', min_entries => 3);
select rank, user_id from lookalikes(array['ann'], min_entries => 3);
select rank, user_id from lookalikes(array['ann'], fraction => 1, min_entries => 3);
select * from search_users('horror', min_entries => 0);
select * from similar_users('ann', min_entries => null);

-- Entries that are known to be sports, in order.
update entries set attributes = '{"kind": "sport"}' where entry ~ 'Ski|Snow';
select rank, entry from search_entries('horror', k => 2, filter => '{"kind": "sport"}');
select * from search_entries('horror', filter => '[]');

-- An explanation adds up to the score of the same search.
select m.mode, round(s.score::numeric, 4) as score, round(e.sum::numeric, 4) as sum
from unnest(array['hybrid', 'evidence', 'mean']) m (mode)
cross join lateral search_users('horror', mode => m.mode, breadth => 0.5, evidence_weight => 0.7) s
cross join lateral (
    select sum(x.mean_part + x.evidence_part)
    from explain_match('eve', 'horror', mode => m.mode, breadth => 0.5, evidence_weight => 0.7) x
) e
where s.user_id = 'eve'
order by m.mode;
select * from explain_match('eve', 'horror', mode => 'magic');

-- Any k is a number of rows, and all there are is the most.
select count(*) from search_users('horror', k => 9223372036854775807);
select count(*) from similar_users('ann', k => 9223372036854775807);
select count(*) from lookalikes(array['ann'], k => 9223372036854775807);
select count(*) from search_entries('horror', k => 9223372036854775807);
select * from lookalikes(array['ann'], k => -1);

-- Whose entries cancel out, but for a rounding, is told so.
insert into entries (entry) values ('No Ski Aspen');
insert into entry_vectors (entry_key, embedding) select entry_key, '[-1, 0, 1e-7]' from entries where entry = 'No Ski Aspen';
insert into users (user_id) values ('neither');
insert into activity (user_key, entry_key, frequency)
select user_key, entry_key, 1 from users, entries where user_id = 'neither' and entry in ('Ski Aspen', 'No Ski Aspen');
call refresh();
select * from similar_users('neither');
select * from lookalikes(array['neither']);
select * from user_similarity(array['ann', 'neither']);
select * from explain_match('neither', 'horror');
