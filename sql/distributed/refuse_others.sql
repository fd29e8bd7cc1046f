-- Has everything that would answer wrongly, or not at all, say so: what is made to be called, but for the names here,
-- and what stands below it and would bring everybody to the coordinator.
do $$
declare
    _work constant text[] := '{
        assign_segment, attribute_vectors, build_segmentation, check_encoder, compare_k, describe_run, embed,
        embed_entries, embed_query, encode_text, encode_texts, encoder_digest, encoder_tokenize, entry_label_silhouette,
        entry_text, explain_match, explain_segment, forget_user, lookalikes, member_silhouettes, publish_run,
        query_source, refresh, rename_segment, request_embedding, scale, search_entries, search_users,
        segment_examples, segment_quality, similar_users, tokenize, user_similarity
    }';
    _below constant text[] := '{compare_copies,entry_similarities,filtered_users,group_votes,take_activity_input}';
    _views constant text[] := '{attribute_profiles,given_profiles,session_vectors,user_map}';
    _routine record;
    _view record;
begin
    for _routine in
        select
            p.proname as name,
            case p.prokind when 'p' then 'procedure' else 'function' end as kind,
            pg_get_function_arguments(p.oid) as arguments,
            'returns ' || pg_get_function_result(p.oid) as result,
            case p.provolatile when 'v' then 'volatile' else 'stable' end as volatility
        from pg_proc p
        where p.pronamespace = quote_ident(current_schema())::regnamespace
            and (
                p.proname = any (_below)
                or p.proname in (select a.name from api a where a.name <> all (_work))
            )
        order by p.oid
    loop
        execute format(
            'create or replace %s %I(%s) %s language plpgsql %s set search_path from current as %L',
            _routine.kind,
            _routine.name,
            _routine.arguments,
            _routine.result,
            case when _routine.kind = 'function' then _routine.volatility end,
            format('begin perform check_undistributed(%L); end', _routine.name)
        );
    end loop;

    for _view in
        select
            c.relname as name,
            string_agg(
                format('null::%s as %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' order by a.attnum
            ) as columns
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relname = any (_views)
        group by c.relname
    loop
        execute format(
            'create or replace view %I as select %s where check_undistributed(%L) is null',
            _view.name,
            _view.columns,
            _view.name
        );
    end loop;
end
$$;
