-- The fifth of the users that one belongs to, by chance and always the same.
create function outcome_fold(
    user_key bigint
)
returns bigint
language sql
immutable
parallel safe
begin atomic
    select abs(hashint8extended(outcome_fold.user_key, 0) % 5);
end;

comment on function outcome_fold(bigint) is
'Internal. Which fifth of the users, 0 to 4, one belongs to, whose own outcomes do not arrange them.
Example: select outcome_fold(1);';
