-- What is known of users, one row a value: an attribute may be a list.
create view attribute_values as
select
    u.user_key,
    a.key as attribute,
    v.value #>> '{}' as value,
    case when k.kind = 'number' and jsonb_typeof(v.value) = 'number' then (v.value #>> '{}')::numeric end as number,
    case when u.attributes ->> s.outcome is not null then outcome_fold(u.user_key) end as fold
from users u
cross join (select max(s.outcome) as outcome from space s) s
cross join lateral jsonb_each(u.attributes) a
cross join lateral jsonb_path_query(a.value, '$[*]') v (value)
left join attribute_kinds k on (k.relation, k.attribute) = ('users', a.key)
where jsonb_typeof(v.value) in ('string', 'number', 'boolean');

comment on view attribute_values is
'Internal. The attributes of users, a row for each value: number where the attribute is one of numbers.
Example: select attribute, count(*) from attribute_values group by attribute;';
comment on column attribute_values.user_key is 'The user.';
comment on column attribute_values.attribute is 'The name of the attribute.';
comment on column attribute_values.value is 'Its value, as text.';
comment on column attribute_values.fold is 'The fifth of the users that one belongs to whose outcome is known.';
comment on column attribute_values.number is 'The value of an attribute of numbers; null of others.';
