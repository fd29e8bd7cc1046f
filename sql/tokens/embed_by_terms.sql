-- Gives entries the vectors that the token table of a space of tfidf makes of their texts: those that wait, or all of
-- them anew. Those no word of which is known do not wait: the next fit looks at them.
create function embed_by_terms(
    anew boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _stored bigint;
begin
    if not embed_by_terms.anew
        and not exists (select from entry_texts t where t.is_current is not true and t.refused_at is null) then
        return 0;
    end if;

    if not exists (select from tokens) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('the space %I knows no words yet', current_schema()),
            hint = format('Run, in a shell: pgaudience --schema %I train', current_schema());
    end if;

    perform pg_advisory_xact_lock(lock_key('terms'));

    with made as (
        select
            t.entry_key,
            case when t.text <> t.entry then t.text_hash end as text_hash,
            sum(k.embedding::vector) as direction
        from entry_texts t
        cross join unnest(text_terms(t.text)) q (term)
        join tokens k on k.token = q.term
        where embed_by_terms.anew or t.is_current is not true
        group by t.entry_key, t.text, t.entry, t.text_hash
    )
    insert into entry_vectors (entry_key, embedding, text_hash)
    select m.entry_key, l2_normalize(m.direction), m.text_hash
    from made m
    where not cancels_out(m.direction, 1)
    order by m.entry_key
    on conflict (entry_key) do update
    set embedding = excluded.embedding, text_hash = excluded.text_hash, embedded_at = clock_timestamp();

    get diagnostics _stored = row_count;

    delete from entry_failures;

    insert into entry_failures (entry_key, error)
    select e.entry_key, 'No word of it is in the token table.'
    from entries e
    where not exists (select from entry_vectors v where v.entry_key = e.entry_key)
    order by e.entry_key;

    return _stored;
end
$$;

comment on function embed_by_terms(boolean) is
'Internal. In a space of tfidf, gives entries that wait for a vector, or all of them, that of their words; returns how
many.
Example: select case when (select model from space) = ''tfidf'' then embed_by_terms() end;';
