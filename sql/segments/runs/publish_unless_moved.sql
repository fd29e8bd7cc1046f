-- Compares a run with the one that readers see, and shows it to them unless too many would move.
create procedure publish_unless_moved(
    run_id bigint,
    previous_run_id bigint,
    max_churn double precision
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _run segmentation_runs;
begin
    update segmentation_runs r
    set
        users_moved = c.users_moved,
        churn = c.users_moved / nullif(c.users, 0)::double precision,
        ari_to_previous = c.adjusted_rand_index
    from compare_runs(publish_unless_moved.run_id, publish_unless_moved.previous_run_id) c
    where r.run_id = publish_unless_moved.run_id
    returning r.* into _run;

    if _run.churn > publish_unless_moved.max_churn then
        raise notice using
            message = format(
                'run %s of %L is stored but not published: %s %% of the users would move, more than max_churn',
                _run.run_id, _run.segmentation, round((100 * _run.churn)::numeric, 1)
            ),
            hint = format('To publish it all the same: call publish_run(%s);', _run.run_id);
    else
        call publish_run(publish_unless_moved.run_id);
    end if;
end
$$;

comment on procedure publish_unless_moved(bigint, bigint, double precision) is
'Internal. Notes how far a run is from an earlier one, and publishes it unless more than max_churn of the users would
move.
Example: call publish_unless_moved(1, previous_run_id => 1, max_churn => 0.1);';
