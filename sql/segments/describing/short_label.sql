-- A name that fits beside a bar of a chart: as many of its parts as there is room for, else its first words.
create function short_label(
    name text
)
returns text
language sql
immutable
parallel safe
begin atomic
    select case
        when length(short_label.name) <= 25 then short_label.name
        else coalesce(
            substring(short_label.name from '^(.{1,25}),'),
            substring(short_label.name from '^(.{1,24})[[:space:]]') || '…',
            left(short_label.name, 24) || '…'
        )
    end;
end;

comment on function short_label(text) is
'Internal. A name of at most 25 characters: the first parts of one that is longer.
Example: select short_label(''Jumbo bag, lunch bag, red retrospot cake tins'');';
