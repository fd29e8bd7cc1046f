-- A template written out: what stands in braces once for each column of some texts that have so many tokens each,
-- parted by commas, the number of the column in place of each ? and that of its text in place of each @.
create function repeat_columns(
    template text,
    tokens integer,
    first_text integer,
    last_text integer
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
                select string_agg(
                    replace(
                        replace(split_part(p.part, '}', 1), '?', c::text),
                        '@', ((c - 1) / repeat_columns.tokens + 1)::text
                    ),
                    ', ' order by c
                )
                from generate_series(
                    (repeat_columns.first_text - 1) * repeat_columns.tokens + 1,
                    repeat_columns.last_text * repeat_columns.tokens
                ) c
            ) || split_part(p.part, '}', 2)
        end,
        '' order by p.n
    )
    from string_to_table(repeat_columns.template, '{') with ordinality p (part, n);
end;

comment on function repeat_columns(text, integer, integer, integer) is
'Internal. A template written out: what stands in braces once for each token of some texts of equal length, with the
number of its column in place of each ? and that of its text in place of each @.
Example: select repeat_columns(''select {x? + y@ as z?} from given'', tokens => 3, first_text => 1, last_text => 2);';
