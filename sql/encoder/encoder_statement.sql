-- The forward pass of the model as one statement, for texts that have as many tokens each: from the vectors of all
-- tokens before the first layer, $1, to one vector a text, beside the number of the text, $2. It takes so many texts a
-- round, which is a row of $2.
--
-- A column stands for a token, {…} for a list with one element for each, ? for its number, @ for that of its text; and
-- |…| for a list with one element for each text, in which {…} are its own tokens. A row of encoder_weights is a unit of
-- a matrix, so that a product is one scan with an inner product a column, and array_agg makes vectors of the results
-- again. <#> is negative, and so is what it leaves until its bias is added. The keys go without theirs: it adds the
-- same to all that a token looks at. Each step of the recursion is a layer. What is joined by head is materialized:
-- where statistics are missing, as in a space that was restored, it would be computed for each unit.
create function encoder_statement(
    texts integer,
    tokens integer
)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    -- Layer norm: less its mean, at unit length, times the scale; the root of the dimensions is in the scale.
    _norm constant text :=
        'l2_normalize(%1$s - array_fill(((%1$s <#> f.ones) / -f.width)::real, array[f.width])::vector) * %2$s.scale + %2$s.shift';
    _statement text := $statement$
select ($2)[r.round][p.n], p.embedding
from generate_series(1, array_length($2, 1)) r (round)
cross join lateral (
    with recursive facts as (
        select layers, width, dimensions, pooling, array_fill(1::real, array[width])::vector as ones,
            array_fill(1::real, array[%tokens%])::vector as ones_of_tokens
        from encoder
    ),
    states (layer, {h?}) as (
        select 0, {%norm_of_input%}
        from facts f
        cross join (select {($1)[(r.round - 1) * %columns% + ?] as x?} offset 0) i
        join encoder_norms n on n.layer = 0 and n.norm = 'input'
        union all
        select s.layer + 1, {out.h?}
        from states s
        cross join facts f
        cross join lateral (select {s.h?::halfvec as h?} offset 0) x
        cross join lateral (
            with queries as materialized (
                select w.head, {array_agg(w.bias)::vector - array_agg(w.d?)::vector as q?}
                from (
                    select w.head, w.bias, {w.weights <#> x.h? as d?}
                    from encoder_weights w
                    where w.layer = s.layer + 1 and w.matrix = 'query'
                    order by w.head, w.unit
                ) w
                group by w.head
            ),
            keys as materialized (
                select k.head, u.*
                from (
                    select w.head, {array_agg(w.d?)::vector as k?}
                    from (
                        select w.head, {w.weights <#> x.h? as d?}
                        from encoder_weights w
                        where w.layer = s.layer + 1 and w.matrix = 'key'
                        order by w.head, w.unit
                    ) w
                    group by w.head
                ) k
                cross join lateral unnest(|array[{k.k?}]|) with ordinality u (|k@|, place)
            ),
            looks as materialized (
                select e.head, {e.p?}, {e.p? <#> f.ones_of_tokens as s?}
                from (
                    select r.head, {array_agg(exp(greatest(r.r? - r.m?, -80)) order by r.place)::vector as p?}
                    from (
                        select t.head, t.place, {t.r?}, {max(t.r?) over (partition by t.head) as m?}
                        from (
                            select k.head, k.place, {q.q? <#> k.k@ as r?}
                            from queries q
                            join keys k using (head)
                        ) t
                    ) r
                    group by r.head
                ) e
            )
            select {(array_agg(c.bias)::vector - array_agg(c.c?)::vector)::halfvec as c?}
            from (
                select v.bias, {(v.v@ <#> p.p?) / p.s? as c?}
                from (
                    select w.head, w.unit, w.bias, |array[{w.weights <#> x.h?}]::vector as v@|
                    from encoder_weights w
                    where w.layer = s.layer + 1 and w.matrix = 'value'
                    offset 0
                ) v
                join looks p using (head)
                order by v.head, v.unit
            ) c
        ) a
        cross join lateral (
            select {array_agg(w.bias)::vector - array_agg(w.d?)::vector + s.h? as y?}
            from (
                select w.bias, {w.weights <#> a.c? as d?}
                from encoder_weights w
                where w.layer = s.layer + 1 and w.matrix = 'attention'
                order by w.head, w.unit
            ) w
        ) b
        join encoder_norms bn on bn.layer = s.layer + 1 and bn.norm = 'attention'
        cross join lateral (select {%norm_of_attention% as h?} offset 0) mid
        cross join lateral (select {mid.h?::halfvec as h?} offset 0) y
        cross join lateral (
            select {array_agg(w.z? + w.z? * erf(w.z?))::halfvec as g?}
            from (
                select {w.bias - (w.weights <#> y.h?) as z?}
                from encoder_weights w
                where w.layer = s.layer + 1 and w.matrix = 'wide'
                order by w.head, w.unit
                offset 0
            ) w
        ) g
        cross join lateral (
            select {array_agg(w.bias)::vector - array_agg(w.d?)::vector + mid.h? as y?}
            from (
                select w.bias, {w.weights <#> g.g? as d?}
                from encoder_weights w
                where w.layer = s.layer + 1 and w.matrix = 'narrow'
                order by w.head, w.unit
            ) w
        ) c
        join encoder_norms cn on cn.layer = s.layer + 1 and cn.norm = 'output'
        cross join lateral (select {%norm_of_output% as h?} offset 0) out
        where s.layer < f.layers
    )
    select u.n, l2_normalize(subvector(u.state, 1, f.dimensions)) as embedding
    from states s
    join facts f on f.layers = s.layer
    cross join lateral unnest(array[
        |case f.pooling when 'cls' then (array[{s.h?}])[1] else (select sum(t.h) from unnest(array[{s.h?}]) t (h)) end|
    ]) with ordinality u (state, n)
) p
$statement$;
begin
    _statement := replace(_statement, '%tokens%', encoder_statement.tokens::text);
    _statement := replace(_statement, '%columns%', (encoder_statement.texts * encoder_statement.tokens)::text);
    _statement := replace(_statement, '%norm_of_input%', format(_norm, 'i.x?', 'n'));
    _statement := replace(_statement, '%norm_of_attention%', format(_norm, 'b.y?', 'bn'));
    _statement := replace(_statement, '%norm_of_output%', format(_norm, 'c.y?', 'cn'));

    return (
        select string_agg(
            case
                when p.n % 2 = 1 then
                    repeat_columns(p.part, encoder_statement.tokens, 1, encoder_statement.texts)
                else (
                    select string_agg(
                        repeat_columns(replace(p.part, '@', t::text), encoder_statement.tokens, t, t),
                        ', ' order by t
                    )
                    from generate_series(1, encoder_statement.texts) t
                )
            end,
            '' order by p.n
        )
        from string_to_table(_statement, '|') with ordinality p (part, n)
    );
end
$$;

comment on function encoder_statement(integer, integer) is
'Internal. The forward pass of the space''s model as one SQL statement, for so many texts at once of so many tokens
each; encode_alike runs it.
Example: select encoder_statement(texts => 1, tokens => 4);';
