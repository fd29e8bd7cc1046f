-- A definition of an audience in words.
--
-- Of those whom its members are to be like, the last may have been forgotten.
create function describe_audience(
    definition jsonb
)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_audience(
        case
            when describe_audience.definition -> 'like_users' = '[]'
                then describe_audience.definition || '{"like_users": ["nobody"]}'
            else describe_audience.definition
        end
    );

    return audience_in_words(describe_audience.definition);
end
$$;

comment on function describe_audience(jsonb) is
'A definition of an audience in words.
Example: select audience, describe_audience(definition) from audiences;';
