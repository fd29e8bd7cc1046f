-- What sets every user apart: the user vector with the average user subtracted, at unit length.
--
-- A user who is the average user, but for the rounding of float4, points nowhere and has no row.
create view centered_user_vectors_live as
select
    v.user_key,
    v.user_id,
    (row(center_vector(v.embedding, a.embedding))::user_vector).embedding
from user_vectors v
cross join average_user a
where v.embedding <-> a.embedding > 1e-4;

comment on view centered_user_vectors_live is
'Internal. The definition of centered_user_vectors, computed as you read it from user_vectors and average_user.
Example: select user_id from centered_user_vectors_live where user_id = ''user_ski_only'';';
comment on column centered_user_vectors_live.user_key is 'The user.';
comment on column centered_user_vectors_live.user_id is 'The id your own systems use.';
comment on column centered_user_vectors_live.embedding is 'User vector less average user, normalised to unit length.';
