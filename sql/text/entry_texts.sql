-- The text that is embedded for every entry, and whether its vector is of that text. Whoever looks for entries to embed
-- asks this view for those whose vector is not.
--
-- The template is taken apart once, and filled only if it is another than that of most spaces; a vector of the entry
-- itself has no hash, so that there nothing is hashed either. max() tells the planner that there is one template, so
-- that it may fill it in parallel.
create view entry_texts as
select
    e.entry_key,
    e.entry,
    x.text,
    text_hash(x.text) as text_hash,
    case
        when v.entry_key is null then null
        when v.text_hash is null then x.text = e.entry
        else v.text_hash = text_hash(x.text)
    end as is_current,
    case
        when f.entry_key is null then null
        when coalesce(f.text_hash, text_hash(e.entry)) = text_hash(x.text) then f.failed_at
    end as refused_at,
    e.created_at
from (
    select
        max(s.entry_template) = '{entry}' as is_plain,
        template_parts(max(s.entry_template)) as parts
    from space s
) t
cross join entries e
left join entry_vectors v using (entry_key)
left join entry_failures f using (entry_key)
cross join lateral (
    select case when t.is_plain then e.entry else fill_template(t.parts, e.entry, e.attributes) end as text
) x;

comment on view entry_texts is
'The text that is embedded for every entry, as the space''s entry_template makes it.
Example: select entry, text from entry_texts order by entry_key limit 10;';
comment on column entry_texts.entry_key is 'The entry.';
comment on column entry_texts.entry is 'Its own text.';
comment on column entry_texts.text is 'The text that is embedded.';
comment on column entry_texts.text_hash is 'The md5 of that.';
comment on column entry_texts.is_current is
'Whether its vector is of that text: if not, it is of a former one and waits to be made anew; null without a vector.';
comment on column entry_texts.refused_at is 'When the model last refused this very text; null if it did not.';
comment on column entry_texts.created_at is 'When the entry was first seen.';
