-- The phrases that tell the segments of a run apart: one to three words of the entries that do.
--
-- A phrase has the z-scores of its entries, combined by Stouffer's method (their sum over the root of their number),
-- times the root of its number of words, since 'hot water bottle' says more than 'bottle', and up to a tenth more where
-- it ends its entries, since there the noun is in English. What it has in another segment is taken off. Phrases do not
-- cross punctuation, nor begin or end with words that mean nothing on their own, or that most of the entries have.
-- Scores are rounded, so that sums in another order do not decide between equals.
create function segment_phrases(
    run_id bigint
)
returns table (
    segment_id bigint,
    phrase text,
    score double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _between constant text := '[][(){}/|,.:;!?&+"]| - ';
    _empty text[] := '{
        a,all,an,and,are,at,be,by,for,from,in,into,is,it,its,my,no,not,of,off,on,only,or,other,others,our,over,per,that,
        the,this,to,up,us,we,with,you,your
    }';
begin
    with described as materialized (
        select distinct e.entry_key, e.entry
        from run_entries x
        join entries e using (entry_key)
        where x.run_id = segment_phrases.run_id
    )
    select _empty || array_agg(c.word) into _empty
    from (
        select word
        from described d
        cross join lateral unnest(split_words(translate(d.entry, '''’', ''))) word
        group by word
        having count(distinct d.entry_key) > (select count(*) / 2 from described)
    ) c;

    return query
    with parts as (
        select x.segment_id, x.entry_key, x.z_score, split_words(s.part) as words
        from run_entries x
        join entries e using (entry_key)
        cross join lateral regexp_split_to_table(translate(e.entry, '''’', ''), _between) s (part)
        where x.run_id = segment_phrases.run_id and x.z_score > 0
    ),
    phrases as (
        select distinct
            p.segment_id,
            p.entry_key,
            p.z_score,
            w.words,
            (w.words = p.words[cardinality(p.words) - size + 1:])::integer as is_last
        from parts p
        cross join generate_series(1, 3) size
        cross join lateral generate_series(1, cardinality(p.words) - size + 1) start
        cross join lateral (select p.words[start:start + size - 1] as words) w
        where w.words[1] <> all (_empty)
            and w.words[size] <> all (_empty)
            and not exists (select from unnest(w.words) word where word ~ '\d')
            and w.words[1] !~ '^[a-z]?$'
            and w.words[size] !~ '^[a-z]?$'
    ),
    scores as (
        select
            p.segment_id,
            p.words,
            sum(p.z_score) / sqrt(count(*)) * sqrt(cardinality(p.words)) * (1 + 0.1 * avg(p.is_last)) as score
        from phrases p
        group by p.segment_id, p.words
    ),
    rivals as (
        select
            s.*,
            max(s.score) over (
                partition by s.words order by s.segment_id rows between unbounded preceding and 1 preceding
            ) as before,
            max(s.score) over (
                partition by s.words order by s.segment_id rows between 1 following and unbounded following
            ) as after
        from scores s
    )
    select
        r.segment_id,
        array_to_string(r.words, ' '),
        round((r.score - coalesce(greatest(r.before, r.after), 0))::numeric, 9)::double precision as score
    from rivals r
    order by r.segment_id, score desc, r.words collate "C";
end
$$;

comment on function segment_phrases(bigint) is
'Internal. The phrases of one to three words that set the segments of a run apart, best first. A score above 0 is
higher than in any other segment.
Example: select segment_id, phrase, score from segment_phrases(1) limit 10;';
