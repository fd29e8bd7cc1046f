-- Segments in the words of a chat model, for BI tools, and how far its answers agree.
create view segment_descriptions as
select
    d.segmentation,
    d.segment_id,
    s.name as segment,
    d.sentence as description,
    d.keywords,
    d.model,
    c.answers,
    c.similarity,
    c.overlap,
    d.answered_at
from segment_descriptions d
join segments s using (segmentation, segment_id)
join (
    select
        a.segmentation,
        a.segment_id,
        count(*) as answers,
        avg(a.similarity) as similarity,
        avg(a.overlap) as overlap
    from segment_descriptions a
    where a.rank is not null
    group by a.segmentation, a.segment_id
) c using (segmentation, segment_id)
where d.rank = 1;

comment on view segment_descriptions is
'Each segment in a sentence and three keywords of a chat model, with how far its answers to several seeds agree.
Example: select count(description), avg(similarity), avg(overlap) from audience_bi.segment_descriptions;';
comment on column segment_descriptions.segmentation is 'The segmentation.';
comment on column segment_descriptions.segment_id is 'The segment.';
comment on column segment_descriptions.segment is 'Its name.';
comment on column segment_descriptions.description is 'What it is, in a sentence: the most central of the answers.';
comment on column segment_descriptions.keywords is 'Three keywords of the same answer.';
comment on column segment_descriptions.model is 'The model that was asked.';
comment on column segment_descriptions.answers is 'How many answers were compared.';
comment on column segment_descriptions.similarity is
'The mean cosine between the sentences of the answers: near 1, all say the same; null where there is one.';
comment on column segment_descriptions.overlap is 'The mean share of keywords that two answers have in common, 0 to 1.';
comment on column segment_descriptions.answered_at is 'When.';
