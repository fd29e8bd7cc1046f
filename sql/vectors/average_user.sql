-- Kept copy of average_user_live.
create materialized view average_user as
select * from average_user_live;

create unique index average_user_users on average_user (users);

comment on materialized view average_user is
'The average user that centered_user_vectors are seen from, in one row; a refresh leaves it as it is when it has hardly
moved.
Example: select users, vector_norm(embedding) as length from average_user;';
comment on column average_user.users is 'How many users it was the mean of.';
comment on column average_user.embedding is 'The mean of their unit vectors: the shorter, the more they differ.';
