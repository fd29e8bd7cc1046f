-- Kept copy of entry_lengths_live.
create materialized view entry_lengths as
select * from entry_lengths_live;

create unique index entry_lengths_user_key on entry_lengths (user_key);

comment on materialized view entry_lengths is
'Internal. How long the tf-idf weights of each user are, as of the last refresh, to compare users by their entries; 0
for users who have only what everybody has.
Example: select user_id, length from entry_lengths join users using (user_key) order by length desc limit 10;';
comment on column entry_lengths.user_key is 'The user.';
comment on column entry_lengths.length is
'Square root of the summed squares of ln(1 + frequency) times settled_idf, over the entries of the user.';
