-- How much a segmentation agrees with what is known of the users.
create function label_agreement(
    segmentation text,
    attribute text,
    out adjusted_rand_index double precision,
    out normalized_mutual_information double precision,
    out homogeneity double precision,
    out users bigint
)
language plpgsql
stable
parallel safe
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_run(label_agreement.segmentation);
begin
    select a.adjusted_rand_index, a.normalized_mutual_information, a.homogeneity, t.users
    into adjusted_rand_index, normalized_mutual_information, homogeneity, users
    from (
        select
            array_agg(c.label) as labels,
            array_agg(c.segment_id) as segment_ids,
            array_agg(c.users) as counts,
            sum(c.users)::bigint as users
        from (
            select
                dense_rank() over (order by u.attributes ->> label_agreement.attribute) as label,
                a.segment_id,
                count(*) as users
            from segment_assignments a
            join users u using (user_key)
            where a.run_id = _run_id and u.attributes ->> label_agreement.attribute is not null
            group by u.attributes ->> label_agreement.attribute, a.segment_id
        ) c
    ) t
    cross join partition_agreement(t.labels, t.segment_ids, t.counts) a
    where t.users > 0;

    if not found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'no user in segmentation %L has an attribute %L',
                label_agreement.segmentation,
                label_agreement.attribute
            ),
            hint = coalesce(
                (
                    select 'There are: ' || string_agg(distinct k.key, ', ' order by k.key)
                    from segment_assignments a
                    join users u using (user_key)
                    cross join jsonb_object_keys(u.attributes) k (key)
                    where a.run_id = _run_id
                ),
                'Load attributes, in a shell: pgaudience load activity.csv --users users.csv'
            );
    end if;
end
$$;

comment on function label_agreement(text, text) is
'How much the published segments of a segmentation agree with an attribute of the users, those without it left out:
adjusted Rand index (1 the same, about 0 by chance), normalised mutual information (0 to 1), and homogeneity (1 if every
segment has users of one value only).
Example: select * from label_agreement(''interests'', attribute => ''home'');';
