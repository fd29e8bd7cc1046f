-- How much the members of each audience have bought. A table: a view on those of the space would stop its upgrades.
-- depends_on: {{ ref('order_lines') }}
{{ config(materialized="table") }}

select
    m.audience,
    count(distinct m.user_id) as members,
    sum(o.quantity) as quantity
from {{ source('pgaudience', 'audience_members') }} m
left join {{ source('shop', 'orders') }} o on o.customer = m.user_id
group by m.audience
