-- Where the rows of a load wait, on the machines that have their users. Each load sees its own, and takes them away.
create unlogged table staged_activity (
    user_key bigint not null,
    entry_key bigint not null,
    frequency double precision not null,
    first_at timestamptz,
    last_at timestamptz
);

comment on table staged_activity is
'Internal. In a distributed space, the rows of a load, until it ends.
Example: select count(*) from staged_activity;';
comment on column staged_activity.user_key is 'The user.';
comment on column staged_activity.entry_key is 'The entry.';
comment on column staged_activity.frequency is 'How often.';
comment on column staged_activity.first_at is 'When first.';
comment on column staged_activity.last_at is 'When last.';

do $$
begin
    perform create_distributed_table('staged_activity', 'user_key', colocate_with => 'users');
end
$$;
