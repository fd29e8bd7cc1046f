-- Says how far a long statement is: to its own client as a notice, to all others in pg_stat_activity.
create function report_progress(
    message text,
    silent boolean default false
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
begin
    perform set_config('application_name', left('pgaudience: ' || report_progress.message, 63), true);
    if not report_progress.silent then
        raise notice '%', report_progress.message;
    end if;
end
$$;

comment on function report_progress(text, boolean) is
'Internal. Says how far a long statement is: as a notice, unless silent, and as the application_name
that pg_stat_activity shows while it runs.
Example: select report_progress(''half of the users'');';
