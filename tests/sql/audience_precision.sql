-- Ten members by rank: the first six belong, the others do not.
insert into users (user_id) select 'u' || lpad(n::text, 2, '0') from generate_series(1, 10) n;
insert into audiences (audience, definition, members) values ('ten', '{"filter": {"a": 1}}', 10);
insert into audience_members (audience, user_id, rank)
select 'ten', 'u' || lpad(n::text, 2, '0'), n from generate_series(1, 10) n;

-- Nobody is judged yet.
select size, estimate, low, high, judged from audience_precision('ten');
-- As many from each fifth, best first; who is judged is not drawn again.
select user_id, place, stratum from sample_members('ten', n => 5);
call judge_member('ten', 'u01', true);
insert into audience_judgements (audience, user_id, belongs)
select 'ten', user_id, place <= 6 from sample_members('ten', n => 4) on conflict do nothing;
select stratum, count(*) from sample_members('ten', n => 99) group by stratum order by stratum;
select size, round(estimate::numeric, 3) as estimate, round(low::numeric, 3) as low, round(high::numeric, 3) as high,
    judged, belonging, stratum_precision
from audience_precision('ten');
-- All are judged: nothing is left to chance.
insert into audience_judgements (audience, user_id, belongs)
select 'ten', user_id, place <= 6 from sample_members('ten', n => 99);
select size, round(estimate::numeric, 3) as estimate, round(low::numeric, 3) as low, round(high::numeric, 3) as high,
    judged, belonging, stratum_precision
from audience_precision('ten');
select max(size) from audience_precision('ten') where estimate >= 0.8;
-- Another mind, and an answer taken back.
call judge_member('ten', 'u01', false);
call judge_member('ten', 'u02', null);
select user_id, belongs from audience_judgements where user_id in ('u01', 'u02');
-- Who is deleted leaves no answer behind.
delete from users where user_id = 'u01';
select count(*) from audience_judgements where user_id = 'u01';

select * from sample_members('nobody');
select * from sample_members('ten', n => 0);
call judge_member('ten', 'who', true);
call judge_member('nobody', 'ann', true);
select * from audience_precision('ten', confidence => 1);
select round(normal_quantile(0.975)::numeric, 12), round(normal_quantile(0.9995)::numeric, 12), normal_quantile(0.5);
