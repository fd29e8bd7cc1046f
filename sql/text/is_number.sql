-- Whether a text is a number, written in the one way that numbers are: neither '01067' nor '01E1' is one, as they would
-- not come back as they were. It has to fit double precision.
create function is_number(
    value text
)
returns boolean
language sql
immutable
parallel safe
begin atomic
    select is_number.value ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?$'
        and is_number.value !~ '^-0([.]0+)?$'
        and length(is_number.value) <= 256;
end;

comment on function is_number(text) is
'Internal. Whether a text is a number in its one form, without leading zeros or an exponent, of at most 256 characters;
null of null.
Example: select is_number(''80331'') as yes, is_number(''01067'') as no;';
