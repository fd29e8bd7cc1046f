-- The phrases that tell the segments of a run apart: whole entries, and what several of them have in common.
--
-- Where entries are names, as those of bands and films are, most of their words are in no other entry: then whole
-- entries count alone. Else runs of one to five words of at least two entries count too, but no part of a longer run
-- that is in the same entries: 'hot water bottle', not 'water bottle'. Runs do not cross punctuation, nor begin or end
-- with words that mean nothing on their own, or that half of the entries have; where nothing but these is added to a
-- phrase, the phrase alone counts: 'fashion', not 'view project: fashion'.
--
-- A phrase has the z-scores of its entries, combined by Stouffer's method (their sum over the root of their number),
-- times the root of its number of words that mean something, up to three, since 'hot water bottle' says more than
-- 'bottle', and up to a tenth more where it ends its entries, since there the noun is in English. What it has in
-- another segment is taken off. Scores are rounded, so that sums in another order do not decide between equals.
create function segment_phrases(
    run_id bigint
)
returns table (
    segment_id bigint,
    phrase text,
    score double precision,
    entry_keys bigint[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _between constant text := '[][(){}/|,.:;!?&+"、。，．：；！？（）「」『』【】]| - ';
    _apostrophes constant text := '''’';
    _letters constant text := 'ʼꞌ';
    _longest constant bigint := 50;
    _empty text[] := '{
        a,all,an,and,are,at,be,by,etc,ex,for,from,in,into,is,it,its,my,no,not,of,off,on,only,or,other,others,our,over,
        per,that,the,this,to,up,us,we,with,you,your
    }';
    _are_names boolean;
begin
    with words as (
        select distinct e.entry_key, word
        from run_entries x
        join entries e using (entry_key)
        cross join lateral unnest(split_words(translate(e.entry, _apostrophes, ''))) word
        where x.run_id = segment_phrases.run_id
    ),
    uses as (
        select w.word, count(*) as entries
        from words w
        group by w.word
    )
    select
        _empty || coalesce(array_agg(u.word) filter (where 2 * u.entries >= t.entries and u.entries > 1), '{}'),
        coalesce(
            2 * count(*) filter (where u.entries = 1 and u.word <> all (_empty))
                > sum(u.entries) filter (where u.word <> all (_empty)),
            true
        )
    into _empty, _are_names
    from uses u
    cross join (select count(distinct w.entry_key) as entries from words w) t;

    return query
    with described as materialized (
        select distinct e.entry_key, e.entry
        from run_entries x
        join entries e using (entry_key)
        where x.run_id = segment_phrases.run_id and x.z_score > 0
    ),
    wholes as (
        select
            d.entry_key,
            coalesce(nullif(split_words(translate(d.entry, _apostrophes, '')), '{}'), array[d.entry]) as words,
            case when _are_names then d.entry else lower_case(d.entry) end as written
        from described d
        where length(d.entry) <= _longest
    ),
    parts as materialized (
        select d.entry_key, w.keys, w.words, w.spans
        from described d
        cross join lateral regexp_split_to_table(
            translate(lower_case(strip_invisible(d.entry)), _apostrophes, _letters), _between
        ) s (part)
        cross join lateral regexp_split_to_array(s.part, word_pattern()) gaps
        cross join lateral (
            select
                array_agg(array_to_string(split_words(translate(m.word[1], _letters, '')), '') order by m.n) as keys,
                array_agg(m.word[1] order by m.n) as words,
                array_agg(m.word[1] || gaps[m.n + 1] order by m.n) as spans
            from regexp_matches(s.part, word_pattern(), 'g') with ordinality m (word, n)
        ) w
        where not _are_names
    ),
    runs as (
        select distinct on (p.entry_key, r.words)
            p.entry_key,
            r.words,
            array_to_string(p.spans[start:start + size - 2], '') || p.words[start + size - 1] as written,
            (start + size > cardinality(p.keys))::integer as is_last
        from parts p
        cross join generate_series(1, 5) size
        cross join lateral generate_series(1, cardinality(p.keys) - size + 1) start
        cross join lateral (select p.keys[start:start + size - 1] as words) r
        where r.words[1] <> all (_empty)
            and r.words[size] <> all (_empty)
            and array_to_string(r.words, '') !~ e'\\d'
            and r.words[1] !~ '^[a-z]?$'
            and r.words[size] !~ '^[a-z]?$'
        order by p.entry_key, r.words, is_last desc, written
    ),
    candidates as materialized (
        select w.entry_key, w.words, w.written, 1 as is_last, true as is_whole
        from wholes w
        union all
        select r.entry_key, r.words, r.written, r.is_last, false
        from runs r
        where not exists (select from wholes w where (w.entry_key, w.words) = (r.entry_key, r.words))
    ),
    phrases as (
        select
            x.segment_id,
            c.words,
            btrim(translate(mode() within group (order by c.written), _letters, _apostrophes), _apostrophes) as written,
            array_agg(c.entry_key order by c.entry_key) as entry_keys,
            sum(x.z_score) / sqrt(count(*)) * (1 + 0.1 * avg(c.is_last))
                * sqrt(least(greatest(cardinality(t.telling), 1), 3)) as score,
            t.telling,
            bool_or(c.is_whole) as is_whole
        from candidates c
        join run_entries x using (entry_key)
        cross join lateral (select array(select word from unnest(c.words) word where word <> all (_empty)) as telling) t
        where x.run_id = segment_phrases.run_id and x.z_score > 0
        group by x.segment_id, c.words, t.telling
        having bool_or(c.is_whole) or count(*) > 1
    ),
    rivals as (
        select
            p.*,
            max(p.score) over (
                partition by p.words order by p.segment_id rows between unbounded preceding and 1 preceding
            ) as before,
            max(p.score) over (
                partition by p.words order by p.segment_id rows between 1 following and unbounded following
            ) as after,
            array_agg(array_to_string(p.words, ' ')) over (partition by p.segment_id, p.entry_keys) as alike
        from phrases p
    )
    select
        r.segment_id,
        r.written,
        round((r.score - coalesce(greatest(r.before, r.after), 0))::numeric, 9)::double precision as score,
        r.entry_keys
    from rivals r
    where not exists (
        select from unnest(r.alike) longer
        where longer <> array_to_string(r.words, ' ')
            and strpos(' ' || longer || ' ', ' ' || array_to_string(r.words, ' ') || ' ') > 0
    )
        and not exists (
            select from phrases p where p.segment_id = r.segment_id and p.words = r.telling and p.words <> r.words
        )
    order by r.segment_id, score desc, r.written collate "C";
end
$$;

comment on function segment_phrases(bigint) is
'Internal. The phrases that set the segments of a run apart, best first: whole entries, and what at least two of them
have in common, as they are written there. A score above 0 is higher than in any other segment; entry_keys are the
entries that have the phrase.
Example: select segment_id, phrase, score from segment_phrases(1) limit 10;';
