-- Computes anew what an upgrade has made anew.
do $$
begin
    if exists (select from space s where s.refreshed_at is not null) and not exists (select from user_sample) then
        call refresh();
    end if;
end
$$;
