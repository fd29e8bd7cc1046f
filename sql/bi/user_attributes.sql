-- What is known of the users, a row for each value, for BI tools that cannot look into JSON.
create view user_attributes as
select
    u.user_id,
    a.attribute,
    v.value #>> '{}' as value,
    case
        when jsonb_typeof(v.value) = 'number' and pg_input_is_valid(v.value #>> '{}', 'double precision')
            then (v.value #>> '{}')::double precision
    end as number
from users u
cross join lateral jsonb_each(u.attributes) a (attribute, content)
cross join lateral jsonb_array_elements(
    case jsonb_typeof(a.content) when 'array' then a.content else jsonb_build_array(a.content) end
) v (value)
where jsonb_typeof(v.value) in ('string', 'number', 'boolean');

comment on view user_attributes is
'The attributes of users, a row for each value of each user: to filter and to group by in tools that take no JSON.
Example: select value, count(*) from audience_bi.user_attributes where attribute = ''home'' group by value;';
comment on column user_attributes.user_id is 'The user.';
comment on column user_attributes.attribute is 'The key in users.attributes.';
comment on column user_attributes.value is 'The value as text; one of them where there is a list.';
comment on column user_attributes.number is 'The value, where it is a number.';
