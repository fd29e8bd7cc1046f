-- What the roles <space>_reader, <space>_writer and <space>_bi_reader may do, where those roles exist.
--
-- A bi_reader has the views for BI tools and no more, so that what they hide is hidden from it.
-- Users, entries and activity of another space, its base, are there to be read: whoever writes here adds vectors, and
-- of an entry needs just the right to claim it. Where texts are understood in another space, it is read
-- too, and asked; so are the parts of a blend.
do $$
declare
    _space constant text := current_schema();
    _bi constant text := _space || '_bi';
    _bi_reader constant text := _space || '_bi_reader';
    _reader constant text := _space || '_reader';
    _writer constant text := _space || '_writer';
    _texts constant text := text_space();
    _others constant text[] := array(select text_space() where text_space() is not null)
        || (select s.parts from space s);
    _other text;
    _role text;
    _readable text;
    _bi_readable text;
begin
    -- Not 'all tables in schema': somebody else may have a view here, which is not for this role to grant.
    select
        string_agg(c.oid::regclass::text, ', '),
        string_agg(c.oid::regclass::text, ', ') filter (where c.relnamespace = to_regnamespace(quote_ident(_bi)))
    into _readable, _bi_readable
    from pg_class c
    where c.relnamespace = any (array(
            select to_regnamespace(quote_ident(n.name))
            from unnest(array[_space, _bi] || _others) n (name)
        ))
        and c.relkind in ('r', 'v', 'm')
        and has_table_privilege(c.oid, 'select with grant option');

    foreach _role in array array[_reader, _writer] loop
        continue when to_regrole(quote_ident(_role)) is null;
        execute format('grant usage on schema %I to %I', _space, _role);
        execute format('grant select on %s to %I', _readable, _role);
        execute format('grant execute on function %I.audience_is_stale(text) to %I', _space, _role);
        foreach _other in array _others loop
            execute format('grant usage on schema %I to %I', _other, _role);
        end loop;
        if to_regnamespace(quote_ident(_bi)) is not null
            and has_schema_privilege(_bi, 'usage with grant option') then
            execute format('grant usage on schema %I to %I', _bi, _role);
        end if;
    end loop;

    if to_regrole(quote_ident(_bi_reader)) is not null then
        execute format('grant execute on function %I.audience_is_stale(text) to %I', _space, _bi_reader);
        if _bi_readable is not null and has_schema_privilege(_bi, 'usage with grant option') then
            execute format('grant usage on schema %I to %I', _bi, _bi_reader);
            execute format('grant select on %s to %I', _bi_readable, _bi_reader);
        end if;
    end if;

    if to_regrole(quote_ident(_writer)) is not null then
        execute format(
            'grant insert, update, delete on %1$I.entry_vectors, %1$I.entry_failures, %1$I.attribute_axes,
                %1$I.given_user_vectors,
                %1$I.queries, %1$I.loads, %1$I.workers,
                %1$I.tokens, %1$I.token_layers, %1$I.training_texts,
                %1$I.segmentations, %1$I.segmentation_runs, %1$I.run_segments, %1$I.run_tree, %1$I.run_entries,
                %1$I.run_attributes, %1$I.run_drivers, %1$I.segment_assignments, %1$I.segment_names,
                %1$I.segment_descriptions, %1$I.entry_descriptions,
                %1$I.segment_lineage, %1$I.segment_changes, %1$I.segment_publications,
                %1$I.maps, %1$I.map_vectors, %1$I.map_categories, %1$I.user_places, %1$I.entry_places,
                %1$I.audiences, %1$I.audience_members, %1$I.audience_changes, %1$I.audience_history,
                %1$I.audience_cursors, %1$I.audience_judgements,
                %1$I.sources, %1$I.source_rejects, %1$I.source_activity, %1$I.source_entries,
                %1$I.runs, %1$I.forgotten_users to %2$I',
            _space,
            _writer
        );
        execute format(
            case
                when (select s.base is null from space s)
                then 'grant insert, update, delete on %1$I.users, %1$I.entries, %1$I.activity, %1$I.sessions,
                    %1$I.attribute_kinds to %2$I'
                else 'grant update (created_at) on %1$I.entries to %2$I'
            end,
            _space,
            _writer
        );
        execute format(
            'grant update (weighting, entry_template, distilled_at, distilled_entries, trained_at, trained_pairs)
                on %I.space to %I',
            _space,
            _writer
        );
        if _texts is not null then
            execute format('grant insert, update on %I.queries to %I', _texts, _writer);
        end if;
        execute format('grant insert on %I.activity_input to %I', _space, _writer);
        execute format('grant execute on procedure %I.refresh() to %I', _space, _writer);
        execute format('grant execute on procedure %I.forget_user(text, jsonb) to %I', _space, _writer);
    end if;
end
$$;
