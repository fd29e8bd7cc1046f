-- Until somebody is judged, a search finds as ever.
call save_audience('skiers', search => 'ski', size => 2, use_judgements => true);
select rank, user_id, round(score::numeric, 3) as score from audience_members where audience = 'skiers' order by rank;
select definition, describe_audience(definition) from audiences;
select stale from audience_bi.audiences;

-- bob belongs, eve does not: so does who is like bob.
call judge_member('skiers', 'bob', true);
call judge_member('skiers', 'eve', false);
select stale from audience_bi.audiences;
call refresh_audiences();
select rank, user_id, round(score::numeric, 3) as score, reasons from audience_members where audience = 'skiers' order by rank;
select user_id, change, why from audience_changes order by change_id;
select part, holds, explanation from explain_member('skiers', 'eve') where part = 'rank';

-- What it would make of another search, and nothing is saved.
select borderline from preview_audience(search => 'ski', mode => 'mean', size => 2, judgements_of => 'skiers');
select borderline from preview_audience(search => 'ski', mode => 'mean', size => 2);

-- Answers that are taken back, and who is deleted, are forgotten.
call judge_member('skiers', 'bob', null);
delete from users where user_id = 'eve';
call refresh();
call refresh_audiences();
select rank, user_id from audience_members where audience = 'skiers' order by rank;

-- Without the option the judged count for nothing.
call judge_member('skiers', 'cy', true);
call save_audience('skiers', search => 'ski', size => 2);
select definition from audiences;
select rank, user_id from audience_members where audience = 'skiers' order by rank;

-- What cannot be sharpened.
call save_audience('French', filter => '{"country": "France"}', use_judgements => true);
select * from preview_audience(search => 'ski', size => 2, judgements_of => 'nobody');
