-- What a writer needs where users are on several machines: keys are drawn from the sequence as whoever loads.
do $$
declare
    _writer constant text := current_schema() || '_writer';
begin
    if to_regrole(quote_ident(_writer)) is not null then
        execute format('grant execute on function record_load() to %I', _writer);
        execute format('grant select, insert, update, delete on staged_activity to %I', _writer);
        execute format('grant select on staged_pairs to %I', _writer);
        execute format(
            'grant usage on sequence %s, %s to %I',
            pg_get_serial_sequence('users', 'user_key'),
            pg_get_serial_sequence('entries', 'entry_key'),
            _writer
        );
    end if;
end
$$;
