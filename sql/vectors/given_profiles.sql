-- The vectors of users that were made elsewhere, with what these users have; the activity is read only where there are
-- any.
create view given_profiles as
select
    g.user_key,
    coalesce(a.entries, 0) as entries,
    coalesce(a.frequency, 0) as frequency,
    g.embedding::vector as direction
from given_user_vectors g
left join (
    select a.user_key, count(*) as entries, sum(a.frequency) as frequency
    from activity a
    where exists (select from given_user_vectors)
    group by a.user_key
) a using (user_key);

comment on view given_profiles is
'Internal. In a space of vectors made elsewhere, the direction of each user who has one.
Example: select count(*) from given_profiles;';
comment on column given_profiles.user_key is 'The user.';
comment on column given_profiles.entries is 'How many distinct entries the user has.';
comment on column given_profiles.frequency is 'Their frequencies, added up.';
comment on column given_profiles.direction is 'The vector.';
