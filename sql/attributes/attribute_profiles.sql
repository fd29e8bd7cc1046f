-- Where each user lies by what is known of them: the start, and what each value adds. Without axes there is nobody.
create view attribute_profiles as
select
    p.user_key,
    coalesce(a.entries, 0) as entries,
    coalesce(a.frequency, 0) as frequency,
    p.direction + s.embedding as direction
from (
    select
        v.user_key,
        sum(case
            when x.scale is null then x.embedding
            else scale(
                x.embedding,
                standard_number(v.number, x.lowest, x.highest, x.power, x.center, x.scale)
            )
        end) as direction
    from attribute_values v
    join attribute_axes x
        on x.attribute = v.attribute
        and case when v.number is null then x.value = v.value else x.scale is not null end
    group by v.user_key
) p
cross join (select x.embedding from attribute_axes x where x.attribute is null) s
left join (
    select a.user_key, count(*) as entries, sum(a.frequency) as frequency
    from activity a
    where exists (select from attribute_axes)
    group by a.user_key
) a using (user_key);

comment on view attribute_profiles is
'Internal. In a space of attributes, the direction of each user of whom anything is known; a value that is missing, or
was not there when the axes were made, adds nothing: of a number that is the mean, of a category as unlike to each.
Example: select count(*) from attribute_profiles;';
comment on column attribute_profiles.user_key is 'The user.';
comment on column attribute_profiles.entries is 'How many distinct entries the user has.';
comment on column attribute_profiles.frequency is 'Their frequencies, added up.';
comment on column attribute_profiles.direction is 'The vector, not yet of unit length.';
