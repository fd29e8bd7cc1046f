-- Kept copy of user_vectors_live.
create materialized view user_vectors as
select * from user_vectors_live;

create unique index user_vectors_user_key on user_vectors (user_key);
create unique index user_vectors_user_id on user_vectors (user_id);

comment on materialized view user_vectors is
'One frequency-weighted vector for each user who has an embedded entry, as of the last refresh.
Example: select user_id from user_vectors order by embedding <=> (select embed(''ski enthusiasts'')) limit 10;';
comment on column user_vectors.user_key is 'The user.';
comment on column user_vectors.user_id is 'The id your own systems use.';
comment on column user_vectors.entries is 'How many distinct entries the user has.';
comment on column user_vectors.frequency is 'Their frequencies, added up.';
comment on column user_vectors.coverage is 'The share of that frequency, 0 to 1, whose entries have a vector.';
comment on column user_vectors.weight is 'The weights of the entries that have a vector, added up.';
comment on column user_vectors.embedding is 'Sum of weight times entry vector, normalised to unit length.';
