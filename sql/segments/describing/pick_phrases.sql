-- The first phrases of a ranking that say something new; a single word gives way to several phrases with it: not 'bag',
-- but 'jumbo bag' and 'lunch bag'.
create function pick_phrases(
    phrases text[],
    k bigint
)
returns text[]
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _phrase text;
    _picked text[] := '{}';
    _known text[] := '{}';
begin
    foreach _phrase in array pick_phrases.phrases loop
        exit when cardinality(_picked) = pick_phrases.k;

        continue when strpos(_phrase, ' ') = 0 and (
            select count(*) > 1 from unnest(pick_phrases.phrases) longer
            where longer <> _phrase and strpos(' ' || longer || ' ', ' ' || _phrase || ' ') > 0
        );
        continue when exists (
            select from unnest(_picked) picked where strpos(' ' || _phrase || ' ', ' ' || picked || ' ') > 0
        );
        continue when (
            select count(*) filter (where word = any (_known)) * 2 > count(*)
            from unnest(split_words(_phrase)) word
        );

        _picked := _picked || _phrase;
        _known := _known || split_words(_phrase);
    end loop;

    return _picked;
end
$$;

comment on function pick_phrases(text[], bigint) is
'Internal. The first k of some ranked phrases, without those that hold one picked before or have most of their words in
those, and without single words that several others have.
Example: select pick_phrases(array[''jumbo bag'', ''jumbo'', ''red jumbo bag'', ''lunch bag''], 3);';
