-- The feed: what the space reads. Once it is there, every build brings the space up to date.
{{ config(post_hook={"sql": "call " ~ var("space") ~ ".run()", "transaction": false}) }}

select customer, product, quantity, updated_at
from {{ source('shop', 'orders') }}
where quantity > 0
