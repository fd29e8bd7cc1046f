-- A template taken apart, once for many rows.
create function template_parts(
    template text
)
returns text[]
language sql
immutable
parallel safe
begin atomic
    select share_out_tokens(template_tokens(template_parts.template));
end;

comment on function template_parts(text) is
'Internal. A template taken apart, as fill_template takes it.
Example: select template_parts(''{entry} — {aisle}, {department}'');';
