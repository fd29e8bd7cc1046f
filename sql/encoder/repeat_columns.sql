-- A template written out: what stands in braces once for each column, parted by commas, its number in place of each ?.
create function repeat_columns(
    template text,
    columns integer
)
returns text
language sql
immutable
parallel safe
begin atomic
    select string_agg(
        case
            when p.n = 1 then p.part
            else (
                select string_agg(replace(split_part(p.part, '}', 1), '?', c::text), ', ' order by c)
                from generate_series(1, repeat_columns.columns) c
            ) || split_part(p.part, '}', 2)
        end,
        '' order by p.n
    )
    from string_to_table(repeat_columns.template, '{') with ordinality p (part, n);
end;

comment on function repeat_columns(text, integer) is
'Internal. A template written out: what stands in braces once for each column, with the column''s number in place of
each ?.
Example: select repeat_columns(''select {x? + 1 as y?} from given'', 3);';
