"""What kind of values each attribute has, and which loads came to their end."""

from alembic import context, op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# An attribute that has texts is one of texts: its numbers are rewritten, also those in lists.
KINDS = """
insert into attribute_kinds (relation, attribute, kind)
select
    '{relation}',
    a.key,
    case when bool_or(jsonb_path_exists(a.value, '$[*] ? (@.type() == "string")')) then 'text' else 'number' end
from {relation} r
cross join lateral jsonb_each(r.attributes) a
where jsonb_path_exists(a.value, '$[*] ? (@.type() == "string" || @.type() == "number")')
group by a.key"""

TEXTS = """
update {relation} r
set attributes = r.attributes || n.attributes
from (
    select
        r.{row_key},
        jsonb_object_agg(
            a.key,
            case
                when jsonb_typeof(a.value) = 'array' then (
                    select jsonb_agg(
                        case
                            when jsonb_typeof(v.value) in ('number', 'boolean') then to_jsonb(v.value #>> '{{}}')
                            else v.value
                        end
                        order by v.place
                    )
                    from jsonb_array_elements(a.value) with ordinality v (value, place)
                )
                else to_jsonb(a.value #>> '{{}}')
            end
        ) as attributes
    from {relation} r
    cross join lateral jsonb_each(r.attributes) a
    join attribute_kinds k on (k.relation, k.attribute, k.kind) = ('{relation}', a.key, 'text')
    where jsonb_path_exists(a.value, '$[*] ? (@.type() == "number" || @.type() == "boolean")')
    group by r.{row_key}
) n
where n.{row_key} = r.{row_key}"""


def upgrade() -> None:
    op.execute("alter table loads add column finished_at timestamptz")
    op.execute("update loads set finished_at = loaded_at")
    op.execute("""
comment on column loads.finished_at is
'When all that the load had to do was done: embedding, refreshing. Null: the same load again goes on with that.'""")
    if context.config.attributes["base"] is not None:
        return
    op.execute("""
create table attribute_kinds (
    relation text not null check (relation in ('users', 'entries')),
    attribute text not null,
    kind text not null check (kind in ('number', 'text')),
    primary key (relation, attribute)
)""")
    op.execute("""
comment on table attribute_kinds is
'What kind of values an attribute has in the whole space: numbers, where every value ever loaded is one, else texts.
Example: select array_agg(attribute) from attribute_kinds where relation = ''users'' and kind = ''number'';'""")
    op.execute("comment on column attribute_kinds.relation is 'Whose attribute it is: users or entries.'")
    op.execute("comment on column attribute_kinds.attribute is 'Its name.'")
    op.execute("comment on column attribute_kinds.kind is 'number or text.'")
    for relation, row_key in (("users", "user_key"), ("entries", "entry_key")):
        op.execute(KINDS.format(relation=relation))
        op.execute(TEXTS.format(relation=relation, row_key=row_key))
