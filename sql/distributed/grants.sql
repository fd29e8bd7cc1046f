-- What a writer needs where users are on several machines: keys are drawn from the sequence as whoever loads.
do $$
declare
    _writer constant text := current_schema() || '_writer';
begin
    if to_regrole(quote_ident(_writer)) is not null then
        execute format('grant execute on function record_load() to %I', _writer);
        execute format(
            'grant usage on sequence %s to %I', pg_get_serial_sequence('users', 'user_key'), _writer
        );
    end if;
end
$$;
