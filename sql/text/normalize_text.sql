-- The one form in which texts are stored and compared. Most texts have it already: ASCII words, one space between them.
create function normalize_text(
    raw text
)
returns text
language sql
immutable
strict
parallel safe
begin atomic
    select case
        when normalize_text.raw ~ '^[\x21-\x7E]+( [\x21-\x7E]+)*$' then normalize_text.raw
        else btrim(
            regexp_replace(
                normalize(normalize_text.raw, nfc),
                '[\u0009-\u000D\u001C-\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+',
                ' ',
                'g'
            ),
            ' '
        )
    end;
end;

comment on function normalize_text(text) is
'Internal. A text in Unicode NFC, trimmed, with inner white space folded to single spaces; case is kept.
Example: select normalize_text(''  Ski   Aspen '');';
