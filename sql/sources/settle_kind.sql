-- Decides what kind of values an attribute has in the whole space, as a load does: numbers, where all values ever
-- brought are numbers, else texts. Where numbers become texts, they are rewritten.
create procedure settle_kind(
    relation text,
    attribute text,
    inout kind text
)
language plpgsql
set search_path from current
as $$
declare
    _former text;
    _row_key constant text := case settle_kind.relation when 'users' then 'user_key' else 'entry_key' end;
    _has_texts boolean;
begin
    select k.kind into _former
    from attribute_kinds k
    where (k.relation, k.attribute) = (settle_kind.relation, settle_kind.attribute);

    if _former is null then
        execute format(
            'select exists (
                select
                from %I r
                where jsonb_path_exists(r.attributes -> $1, ''$[*] ? (@.type() != "number" && @.type() != "null")'')
            )',
            settle_kind.relation
        )
        into _has_texts
        using settle_kind.attribute;
    end if;

    if _former = 'text' or _has_texts then
        kind := 'text';
    end if;

    if kind is distinct from _former then
        insert into attribute_kinds as k (relation, attribute, kind)
        values (settle_kind.relation, settle_kind.attribute, settle_kind.kind)
        on conflict on constraint attribute_kinds_pkey do update set kind = excluded.kind;

        if kind = 'text' then
            execute format(
                'update %1$I r
                set attributes = r.attributes || jsonb_build_object($1, n.value)
                from (
                    select r.%2$I, stored_value(r.attributes -> $1, ''text'') as value
                    from %1$I r
                    where r.attributes ? $1
                ) n
                where n.%2$I = r.%2$I and n.value <> r.attributes -> $1',
                settle_kind.relation,
                _row_key
            )
            using settle_kind.attribute;
        end if;
    end if;
end
$$;

comment on procedure settle_kind(text, text, text) is
'Internal. Notes that an attribute of users or entries has values of a kind, number or text; the result is the kind it
has.
Example: call settle_kind(''users'', ''shoe_size'', ''number'');';
