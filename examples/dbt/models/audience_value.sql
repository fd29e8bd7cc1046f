-- How much the members of each audience have bought.
-- depends_on: {{ ref('order_lines') }}
select
    m.audience,
    count(distinct m.user_id) as members,
    sum(o.quantity) as quantity
from {{ source('audience', 'audience_members') }} m
left join {{ source('shop', 'orders') }} o on o.customer = m.user_id
group by m.audience
