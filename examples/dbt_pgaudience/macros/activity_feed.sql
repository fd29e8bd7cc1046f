{#- A model whose rows (batch, user_id, entry, frequency, occurred_at) go to the activity of a space, each batch once. Its table
    is the journal of what was fed. Journal and feed are one statement: a run that fails leaves neither, a rerun and
    --full-refresh count nothing twice, and of two runs at a time one waits for the other. -#}
{% materialization activity_feed, adapter="postgres" %}
    {%- set journal = this.incorporate(type="table") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement("journal") -%}
        create table if not exists {{ journal }} (
            batch text primary key,
            rows bigint not null,
            fed_at timestamptz not null default now()
        )
    {%- endcall %}

    {% call statement("main") -%}
        with fed as materialized (
            {{ sql }}
        ),
        new_batches as (
            insert into {{ journal }} (batch, rows)
            select f.batch::text, count(*)
            from fed f
            group by f.batch::text
            order by f.batch::text
            on conflict do nothing
            returning batch
        )
        insert into {{ var("space") }}.activity_input (user_id, entry, frequency, occurred_at)
        select f.user_id, f.entry, f.frequency, f.occurred_at
        from fed f
        join new_batches n on n.batch = f.batch::text
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [journal]}) }}
{% endmaterialization %}
