-- A copy of an audience, kept elsewhere: at first it takes everybody.
call save_audience('skiers', search => 'ski', mode => 'mean', size => 2);
select change_id, user_id, change from read_changes('skiers', 'crm');
-- Nothing was confirmed, so it is the same again; then there is nothing more.
select change_id, user_id, change from read_changes('skiers', 'crm');
call confirm_changes('skiers', 'crm', change_id => 2);
select change_id, user_id, change from read_changes('skiers', 'crm');

-- Somebody comes and leaves in between: only the last of it is told.
call save_audience('skiers', search => 'ski', mode => 'mean', size => 3);
call save_audience('skiers', search => 'ski', mode => 'mean', size => 1);
delete from users where user_id = 'ann';
select change_id, user_id, change from read_changes('skiers', 'crm');
call confirm_changes('skiers', 'crm', change_id => 4);
call confirm_changes('skiers', 'crm', change_id => 3);
select change_id, user_id, change from read_changes('skiers', 'crm');
select audience, cursor, change_id from audience_cursors;
-- Another cursor knows nothing of that; but of who left while its first reading was not confirmed.
call open_cursor('skiers', 'mail');
call open_cursor('skiers', 'mail');
call save_audience('skiers', search => 'horror', mode => 'mean', size => 2);
select change_id, user_id, change from read_changes('skiers', 'mail');
call save_audience('skiers', search => 'horror', mode => 'mean', size => 1);
select change_id, user_id, change from read_changes('skiers', 'mail');
call confirm_changes('skiers', 'mail', change_id => 9);
select change_id, user_id, change from read_changes('skiers', 'mail');

select * from read_changes('nobody', 'crm');
select * from read_changes('skiers', ' ');
call confirm_changes('skiers', 'crm', change_id => 99999);
call confirm_changes('skiers', 'crm', change_id => null);
call confirm_changes('nobody', 'crm', change_id => 1);
call drop_audience('skiers');
select count(*) from audience_cursors;
