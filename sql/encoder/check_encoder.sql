-- Whether the model in the space is whole, and computes what the model itself did when it came in.
create function check_encoder()
returns table (
    is_intact boolean,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _encoder encoder%rowtype;
begin
    select * into _encoder from encoder;

    if not found or encoder_digest() is distinct from _encoder.digest then
        return query
        select false, null::double precision;
        return;
    end if;

    return query
    select true, min(1 - (encode_text(t.text, _encoder.query_prompt) <=> t.embedding))
    from encoder_tests t;
end
$$;

comment on function check_encoder() is
'Whether the model in the space is as it came in, and the least cosine between what it gives some texts here and what
it gave them then, outside; pgaudience check asks this.
Example: select is_intact, similarity from check_encoder();';
