-- A text without what nobody sees: variation selectors, skin tones, tags, joiners, marks of direction, soft hyphens.
create function strip_invisible(
    raw text
)
returns text
language sql
immutable
strict
parallel safe
begin atomic
    select regexp_replace(
        strip_invisible.raw,
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u20D0-\u20FF'
        '\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\U0001F3FB-\U0001F3FF\U000E0000-\U000E0FFF]',
        '',
        'g'
    );
end;

comment on function strip_invisible(text) is
'Internal. A text without variation selectors, skin tones, and characters of format, of no width, or to be ignored.
Example: select strip_invisible(''❤️'');';
