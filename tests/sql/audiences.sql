-- Audiences that last: skiers by a search, cut at two.
call save_audience('skiers', search => 'ski', size => 2);
select audience, definition, members, fault from audiences;
select rank, user_id, round(score::numeric, 3) as score, reasons from audience_members where audience = 'skiers' order by rank;
select user_id, change, why from audience_changes order by change_id;

-- What it would be otherwise, and nothing is saved.
select members, candidates, with_evidence, round(highest_score::numeric, 3) as highest, round(median_score::numeric, 3) as median,
    round(lowest_score::numeric, 3) as lowest, borderline
from preview_audience(search => 'ski', size => 2);
select members, candidates, with_evidence, borderline from preview_audience(search => 'ski', min_score => 0, mode => 'mean');
select members, candidates, with_evidence, borderline from preview_audience(search => 'ski', share => 0.5, min_entries => 2);
select members, candidates, with_evidence, borderline from preview_audience(filter => '{"country": "France"}');
select count(*) from audiences;

-- Of all kinds.
\ir fixture/segments.sql
call save_audience('French', filter => '{"country": "France"}');
call save_audience('not horror', search => 'ski', away_from => 'horror', share => 0.4, mode => 'mean');
call save_audience('like ann', like_users => array['ann', 'nobody'], size => 2);
call save_audience('like skiers', like_audience => 'skiers', unlike => array['French'], size => 1);
call save_audience('segment one', segmentation => 'interests', segments => array[1]);
call save_audience('both', all_of => array['skiers', 'French']);
call save_audience('skiers by mean', search => 'ski', size => 2, mode => 'mean');
call save_audience('either', any_of => array['skiers by mean', 'like ann'], size => 3);
call save_audience('others', none_of => array['skiers']);
select audience, rank, user_id, round(score::numeric, 3) as score, reasons
from audience_members
where audience <> 'skiers'
order by audience, rank;
select audience, describe_audience(definition) from audiences order by audience;
select audience, other, members, other_members, shared, round(share::numeric, 3) as share, round(lift::numeric, 3) as lift
from audience_overlap(array['skiers', 'French', 'others']);

-- Why is eve in one of them, and why is she not in another?
select * from explain_member('either', 'eve') where part <> 'member';
select part, holds from explain_member('either', 'eve') where part = 'member';
select * from explain_member('both', 'eve');
select * from explain_member('skiers', 'zoe');
select * from explain_member('French', 'cy');
select * from explain_member('segment one', 'ann') where part <> 'member';

-- Nothing has changed, so nothing is computed anew.
call refresh_audiences();
select audience, count(*) from audience_history group by audience having count(*) > 1;

-- Data: cy goes skiing, and another is French now.
insert into activity_input values ('cy', 'Ski Aspen', 50), ('cy', 'Ski Whistler', 50), ('cy', 'Snow Park', 50);
update users set attributes = '{"country": "France"}' where user_id = 'dan';
call refresh();
select audience, stale from audience_bi.audiences order by audience;
call refresh_audiences();
select audience, user_id, change, why from audience_changes where change_id > 22 order by change_id;
select audience, why, members, entered, departed from audience_history order by audience, refreshed_at;

-- Another definition: it is the same audience.
call save_audience('skiers', search => 'ski', size => 1, suppress_below => 2);
call refresh_audiences();
select audience, user_id, change, why from audience_changes where change_id > 37 order by change_id;

-- BI tools do not see an audience that is too small.
select audience, members from audience_bi.audiences order by audience;
select distinct audience from audience_bi.audience_members order by audience;
select distinct audience from audience_bi.audience_changes order by audience;
select audience, members from audience_bi.audience_history where audience in ('skiers', 'both') order by 1, 2;
select audience, other, shared from audience_bi.audience_overlap where audience in ('skiers', 'both') order by 1, 2;

-- Who is deleted leaves at once.
delete from users where user_id = 'bob';
select audience, user_id, change, why from audience_changes where user_id = 'bob' and why = 'deleted' order by audience;
select audience, a.members, count(m.user_id) from audiences a left join audience_members m using (audience) group by audience order by 1;

-- An audience that others need is dropped: they stay as they were, and say so.
call drop_audience('skiers');
\set VERBOSITY terse
call refresh_audiences();
\set VERBOSITY default
select audience, members, fault from audiences where fault is not null order by audience;
select count(*) from audience_members where audience = 'skiers';
call save_audience('skiers', search => 'ski', size => 2);
call refresh_audiences();
select audience, members, fault from audiences where fault is not null order by audience;

-- What is no audience.
call save_audience(' ', search => 'ski', size => 2);
call save_audience('x');
call save_audience('x', search => 'ski');
call save_audience('x', search => 'ski', size => 2, share => 0.1);
call save_audience('x', search => 'ski', like_users => array['ann'], size => 2);
call save_audience('x', search => 'ski', size => 0);
call save_audience('x', search => 'ski', share => 1.5);
call save_audience('x', search => 'ski', size => 2, keep => 1);
call save_audience('x', search => 'ski', size => 2, mode => 'magic');
call save_audience('x', search => 'ski', size => 2, min_entries => 0);
call save_audience('x', filter => '{"country": "France"}', padded => false);
call save_audience('x', search => 'ski', size => 2, suppress_below => -1);
call save_audience('x', filter => '{"country": "France"}', size => 2);
call save_audience('x', filter => '[]');
call save_audience('x', like_users => '{}', size => 2);
call save_audience('x', like_users => array['nobody'], size => 2);
call save_audience('x', any_of => array['skiers', 'skiers']);
call save_audience('x', all_of => array['nobody here']);
call save_audience('skiers', all_of => array['both']);
call save_audience('x', segmentation => 'interests', segments => array[9]);
call save_audience('x', segmentation => 'interests');
call save_audience('x', search => 'nothing known', size => 2);
select check_audience('{"sql": "select 1"}');
select describe_audience('[]');
call drop_audience('x');
select * from explain_member('x', 'ann');
select * from explain_member('skiers', 'nobody');
select * from audience_overlap(array['x']);
select count(*) from audiences where audience = 'x';
