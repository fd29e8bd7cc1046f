-- The text that is embedded for an entry.
create function entry_text(
    entry text,
    attributes jsonb,
    template text
)
returns text
language sql
immutable
parallel safe
begin atomic
    select fill_template(template_parts(entry_text.template), entry_text.entry, entry_text.attributes);
end;

comment on function entry_text(text, jsonb, text) is
'The text that a template makes of an entry: {entry} is the entry, {name} an attribute, several values of it joined by
commas, {{ and }} are braces. A value that is missing drops out with its punctuation, the words that introduce it and
brackets around it.
Example: select entry_text(''Oat Milk'', ''{"department": "dairy"}'', ''{entry} — {aisle}, {department}'');';
