-- Makes the tables through which the rows of a source come, for the time of one source.
create procedure create_staging()
language plpgsql
set search_path from current
as $$
begin
    create temporary table staged_rows (
        user_id text not null,
        item text not null,
        text text,
        reason text,
        rows bigint,
        frequency double precision,
        first_at timestamptz,
        last_at timestamptz,
        latest numeric,
        attributes jsonb
    ) on commit drop;

    create temporary table staged_users (
        raw text,
        user_id text,
        reason text,
        user_key bigint
    ) on commit drop;

    create temporary table staged_items (
        raw text,
        entry text,
        hash uuid,
        reason text,
        entry_key bigint
    ) on commit drop;
end
$$;

comment on procedure create_staging() is
'Internal. Makes the temporary tables staged_rows, staged_users and staged_items.
Example: call create_staging();';
