-- The entries whose text has no vector, in the order in which they are embedded: longest first, so that texts of like
-- length share a batch and the time left is not underestimated; entries of one text side by side.
create function entries_to_embed(
    failed_before timestamptz
)
returns bigint[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return array(
        select t.entry_key
        from entry_texts t
        where t.is_current is not true and (t.refused_at is null or t.refused_at < entries_to_embed.failed_before)
        order by length(t.text) desc, t.text_hash, t.entry_key
    );
end
$$;

comment on function entries_to_embed(timestamptz) is
'Internal. The entries whose text has no vector; of those that were refused, the ones before a moment.
Example: select cardinality(entries_to_embed(failed_before => now()));';
