-- What a source is a source of.
create function source_kind(
    source sources
)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    return case
        when num_nonnulls((source_kind.source).entry_column, (source_kind.source).entry_key_column) = 0 then 'users'
        when (source_kind.source).user_column is null then 'entries'
        else 'activity'
    end;
end
$$;

comment on function source_kind(sources) is
'Internal. What a source is a source of: activity, or the attributes of users or entries.
Example: select source_kind(s) from sources s;';
