-- The SHA-256 of the model as it is stored: of the hashes of all rows, so that no changed, missing or added number goes
-- unseen.
create function encoder_digest()
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return (
        select encode(sha256(string_agg(r.digest, ''::bytea order by r.digest)), 'hex')
        from (
            select sha256(convert_to(t.token, 'UTF8') || halfvec_send(t.embedding)) as digest
            from encoder_tokens t
            union all
            select sha256(int8send(p.position) || vector_send(p.embedding))
            from encoder_positions p
            union all
            select sha256(convert_to(concat(n.layer, n.norm), 'UTF8') || vector_send(n.scale) || vector_send(n.shift))
            from encoder_norms n
            union all
            select sha256(
                convert_to(concat_ws(' ', w.layer, w.matrix, w.head, w.unit), 'UTF8')
                    || float8send(w.bias) || halfvec_send(w.weights)
            )
            from encoder_weights w
            union all
            select sha256(convert_to(concat_ws(' ', c.first_code, c.last_code, c.is_word, c.becomes), 'UTF8'))
            from encoder_characters c
        ) r
    );
end
$$;

comment on function encoder_digest() is
'The SHA-256 of the model as it is stored in the space; encoder.digest has what it was when it came in.
Example: select digest = encoder_digest() as is_intact from encoder;';
