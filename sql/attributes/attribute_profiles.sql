-- Where each user lies by what is known of them: the start, and what each value adds. Without axes there is nobody.
--
-- Where values are arranged by an outcome, those whose outcome is known have what was made of the outcomes of others.
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
    cross join (select coalesce(bool_or(x.fold is not null), false) as are_arranged from attribute_axes x) s
    join attribute_axes x
        on x.attribute = v.attribute
        and (x.scale is null) = (v.number is null)
        and coalesce(x.value, '') = case when v.number is null then v.value else '' end
        and (x.fold is null or x.fold = v.fold)
        and (x.fold is not null or x.scale is not null or v.fold is null or not s.are_arranged)
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
