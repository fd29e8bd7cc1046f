-- Tables as a shop has them, made of the retail sample: psql -d URL -f examples/orders.sql, from the root of a checkout.
-- Then, in a space: add_source for each, sync() or run(); see docs/sources.md.
create table public.customers (
    id text primary key,
    country text
);

create table public.orders (
    id bigint generated always as identity primary key,
    customer text not null references public.customers,
    product text not null,
    quantity double precision not null,
    updated_at timestamptz not null default now()
);

\copy public.customers from 'examples/retail_users.csv' with (format csv, header)
\copy public.orders (customer, product, quantity) from program 'gzip -dc examples/retail.csv.gz' with (format csv, header)

create index orders_customer on public.orders (customer);
create index orders_updated_at on public.orders (updated_at);
