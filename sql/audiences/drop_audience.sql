-- Drops an audience: its definition, its members, its history.
create procedure drop_audience(
    name text
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    perform lock_audiences();

    delete from audiences a
    where a.audience = drop_audience.name;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no audience %L', drop_audience.name),
            hint = 'See: select audience from audiences order by audience;';
    end if;
end
$$;

comment on procedure drop_audience(text) is
'Drops an audience with its members, changes and history. Audiences that stand on it stay as they are, and cannot be
computed anew until there is one of that name again.
Example: call drop_audience(''parents'');';
