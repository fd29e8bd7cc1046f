-- What a word is, as a regular expression: a flag, any other emoji, or what stands between white space, punctuation,
-- symbols and emoji. The emoji of the Basic Multilingual Plane are those of Unicode's emoji-data.txt.
create function word_pattern()
returns text
language sql
immutable
parallel safe
begin atomic
    select
        '[\U0001F1E6-\U0001F1FF]{2}|[\u231A\u231B\u2328\u23CF\u23E9-\u23F3\u23F8-\u23FA\u25AA\u25AB\u25B6\u25C0'
        '\u25FB-\u25FE\u2600-\u2604\u260E\u2611\u2614\u2615\u2618\u261D\u2620\u2622\u2623\u2626\u262A\u262E\u262F'
        '\u2638-\u263A\u2640\u2642\u2648-\u2653\u265F\u2660\u2663\u2665\u2666\u2668\u267B\u267E\u267F\u2692-\u2697\u2699'
        '\u269B\u269C\u26A0\u26A1\u26A7\u26AA\u26AB\u26B0\u26B1\u26BD\u26BE\u26C4\u26C5\u26C8\u26CE\u26CF\u26D1\u26D3'
        '\u26D4\u26E9\u26EA\u26F0-\u26F5\u26F7-\u26FA\u26FD\u2702\u2705\u2708-\u270D\u270F\u2712\u2714\u2716\u271D\u2721'
        '\u2728\u2733\u2734\u2744\u2747\u274C\u274E\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27A1\u27B0\u27BF\u2934'
        '\u2935\u2B05-\u2B07\u2B1B\u2B1C\u2B50\u2B55\u303D\U0001F000-\U0001FAFF]'
        '|[^\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B1\u00B4\u00B6-\u00B8\u00BB\u00BF\u2000-\u206F'
        '\u2190-\u2BFF\u2E00-\u2E7F\u3000-\u3004\u3008-\u3020\u3030\u3036\u3037\u303D-\u303F\uFE10-\uFE19\uFE30-\uFE6B'
        '\uFF01-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF64\U0001F000-\U0001FAFF]+' as pattern;
end;

comment on function word_pattern() is
'Internal. The regular expression of a word, after strip_invisible().
Example: select regexp_count(''Ski ❤ Tyrol'', word_pattern());';
