-- Stops an installation outside a space, and loads pgvector so that its settings are known from here on.
do $$
begin
    if to_regclass(format('%I.space', current_schema())) is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('schema %I is not a pgaudience space', current_schema()),
            hint = 'Run: pgaudience migrate, or set search_path to a space, the schema of vector, pg_temp.';
    end if;
    perform '[1]'::vector;
end
$$;
