-- The attributes that users have, each with the column of users_wide that holds it: numbers where nobody has anything
-- else, else texts.
--
-- Of several attributes that come out alike, the one that is spelled like its column has it, else the first; the others
-- end with a hash of their own, so that whose column it is does not depend on how many there are.
create view attribute_columns as
with used as (
    select
        a.key as attribute,
        count(*) as users,
        bool_and(jsonb_typeof(a.value) = 'number') as are_numbers
    from users u
    cross join lateral jsonb_each(u.attributes) a
    where a.value <> 'null'
    group by a.key
    order by users desc, attribute
    limit 1000
),
spelled as (
    select
        u.*,
        case
            when s.name in ('', 'user_id', 'entries', 'frequency', 'coverage') then s.name || '_attribute'
            else s.name
        end as name
    from used u
    -- ASCII alone: which letters of other scripts a class holds depends on the locale.
    cross join lateral (
        select regexp_replace(lower_case(u.attribute), e'[\\x01-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]+', '_', 'g')
    ) s (name)
),
placed as (
    select
        s.*,
        row_number() over (partition by s.name order by s.name <> s.attribute, s.attribute collate "C") as place
    from spelled s
)
select distinct on (n.column_name)
    p.attribute,
    n.column_name,
    case when p.are_numbers then 'double precision' else 'text' end as type,
    p.users
from placed p
cross join lateral (
    select case
        when p.place = 1 and octet_length(p.name) <= 63 then p.name
        else concat(
            left(p.name, greatest(13, 54 - octet_length(p.name) + length(p.name))), '_', left(md5(p.attribute), 8)
        )
    end
) n (column_name)
order by n.column_name, p.attribute;

comment on view attribute_columns is
'Internal. Which column of users_wide holds which attribute of users: its name in lower case, with _ for what is neither
letter nor digit; the thousand that most users have.
Example: select attribute, column_name, type from attribute_columns order by attribute;';
comment on column attribute_columns.attribute is 'The key in users.attributes.';
comment on column attribute_columns.column_name is 'The column.';
comment on column attribute_columns.type is
'Its type: double precision, or text where anybody has anything but a number.';
comment on column attribute_columns.users is 'How many users have the attribute.';
