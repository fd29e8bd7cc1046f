-- Kept copy of centered_user_vectors_live.
create materialized view centered_user_vectors as
select * from centered_user_vectors_live;

create unique index centered_user_vectors_user_key on centered_user_vectors (user_key);

comment on materialized view centered_user_vectors is
'What sets each user apart from the average user, as of the last refresh: compare users with users here, and users with
texts in user_vectors. A user exactly like the average has no row.
Example: select user_id from centered_user_vectors order by user_id limit 10;';
comment on column centered_user_vectors.user_key is 'The user.';
comment on column centered_user_vectors.user_id is 'The id your own systems use.';
comment on column centered_user_vectors.embedding is 'User vector less average user, normalised to unit length.';
