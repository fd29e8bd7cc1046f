-- How good a space is for some users, by several measures: see compare_spaces.
create function judge_space(
    user_keys bigint[],
    k bigint,
    group_filter jsonb,
    label text,
    seed bigint,
    out users bigint,
    out coverage double precision,
    out reidentification double precision,
    out reidentification_margin double precision,
    out bits double precision,
    out bits_margin double precision,
    out lift double precision,
    out silhouette double precision,
    out stability double precision,
    out label_silhouette double precision,
    out seconds double precision,
    out bytes bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _fewest_entries constant bigint := 4;
    _questions constant bigint := 10;
    _halved bigint[];
    _most bigint;
    _started_at timestamptz;
begin
    select count(*) into users
    from user_vectors;

    select users / nullif(count(*), 0)::double precision into coverage
    from users u;

    select array_agg(u.user_key order by u.place) into _halved
    from unnest(judge_space.user_keys) with ordinality u (user_key, place)
    where (
        select count(*) from activity a where a.user_key = u.user_key
    ) >= _fewest_entries;

    if cardinality(_halved) > judge_space.k then
        select h.reidentification, h.reidentification_margin, h.bits, h.bits_margin
        into reidentification, reidentification_margin, bits, bits_margin
        from judge_halves(_halved, judge_space.k, seed => judge_space.seed) h;
    end if;

    if judge_space.group_filter is not null then
        lift := judge_group(judge_space.user_keys, judge_space.group_filter, seed => judge_space.seed);
    end if;

    select count(distinct v.embedding) - 1 into _most
    from user_vectors v
    where v.user_key = any (judge_space.user_keys);

    if _most > 1 then
        select c.silhouette, c.stability into silhouette, stability
        from compare_k(
            k_min => least(judge_space.k, _most),
            k_max => least(judge_space.k, _most),
            sample_size => cardinality(judge_space.user_keys)
        ) c;
    end if;

    if judge_space.label is not null then
        select s.silhouette into label_silhouette
        from entry_label_silhouette(judge_space.label) s
        where s.value is null;
    end if;

    _started_at := clock_timestamp();
    perform n.user_id
    from user_vectors v
    cross join lateral nearest_users(v.embedding, 20, '{}') n
    where v.user_key = any (judge_space.user_keys[:_questions]);
    seconds := extract(epoch from clock_timestamp() - _started_at)
        / least(_questions, cardinality(judge_space.user_keys));

    select sum(pg_total_relation_size(c.oid)) into bytes
    from pg_class c
    where c.relnamespace = quote_ident(current_schema())::regnamespace
        and c.relname in (
            'entry_vectors', 'given_user_vectors', 'attribute_axes', 'user_vectors', 'centered_user_vectors'
        );
end
$$;

comment on function judge_space(bigint[], bigint, jsonb, text, bigint) is
'Internal. How good this space is for some users, as compare_spaces tells it.
Example: select users, bits from judge_space(array(select user_key from user_vectors), 2, null, null, 0);';
