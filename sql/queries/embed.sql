-- The vector of a query text.
create function embed(
    query text
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _query text := normalize_text(embed.query);
    _is_tfidf constant boolean := exists (select from space s where s.model = 'tfidf');
    _embedding vector;
begin
    if _query is null or _query = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the query text is blank';
    end if;

    select v.embedding into _embedding
    from entries e
    join entry_vectors v using (entry_key)
    where text_hash(e.entry) = text_hash(_query);

    if found then
        return _embedding;
    end if;

    select q.embedding into _embedding
    from queries q
    where text_hash(q.query) = text_hash(_query);

    if _embedding is not null then
        return _embedding;
    end if;

    if _query ~ e'^\\[[-+0-9.,eE ]*\\]$' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the query text looks like a vector',
            hint = 'Say that it is one: ''[…]''::vector.';
    end if;

    if text_space() is not null then
        return place_text(_query);
    end if;

    if exists (select from encoder) then
        if encoder_tokenize(_query) = '{}' then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('the model sees nothing in the text %L', left(_query, 100)),
                hint = 'Write it in words; characters without a shape of their own are left out.';
        end if;

        return encode_text(_query, (select e.query_prompt from encoder e));
    end if;

    if not exists (select from tokens) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no vector yet for the text %L, and no token table to make one of', left(_query, 100)),
            hint = case
                when _is_tfidf then format('Run, in a shell: pgaudience --schema %I train', current_schema())
                else format(
                    'Run, in a shell: pgaudience distill; or ask for this text: select request_embedding(%L);',
                    _query
                )
            end;
    end if;

    select correct_sum(sum(t.embedding::vector)) into _embedding
    from unnest(case when _is_tfidf then text_terms(_query) else tokenize(_query) end) q (token)
    join tokens t using (token);

    if _embedding is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no word of the text %L is known', left(_query, 100)),
            hint = case
                when _is_tfidf then 'The words that are known: select token from tokens;'
                else format('Ask for its vector: select request_embedding(%L);', _query)
            end;
    end if;

    return _embedding;
end
$$;

comment on function embed(text) is
'The query vector of a text, of unit length: that of the entry with this text (made from its attributes too, where the
space has an entry_template), else of a cached query, else what the model gives, which runs here in SQL; in a space
whose model cannot, one made of its tokens in the token table, which comes close to it, and in a space of tfidf is it.
query_source says which. In a learned space, that of the entries nearest to the text.
Example: select * from search_users(embed(''ski enthusiasts'') - embed(''horror fans''));';
