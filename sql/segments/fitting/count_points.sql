-- How many users a segmentation is made of.
create function count_points(
    filter jsonb default '{}',
    leave_out bigint[] default '{}',
    centered boolean default true
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _users bigint;
begin
    execute format('select count(*) from (%s) p', segmentation_points(centered => count_points.centered))
    into _users
    using null::vector[], null::double precision[], count_points.filter, count_points.leave_out;

    return _users;
end
$$;

comment on function count_points(jsonb, bigint[], boolean) is
'Internal. How many users of a filter have a vector, without those left out.
Example: select count_points();';
