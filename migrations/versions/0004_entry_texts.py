"""The text that is embedded for an entry: a template of the space, and what text each vector was made from."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table space add column entry_template text not null default '{entry}'")
    op.execute("""
comment on column space.entry_template is
'The text that is embedded for an entry: {entry}, and {name} for any of its attributes; see entry_text().
Example: update space set entry_template = ''{entry} — {aisle}, {department}'';'""")

    # Null stands for the entry itself, of which every vector so far was made: nothing has to be rewritten, which would
    # take hours under an HNSW index.
    op.execute("alter table entry_vectors add column text_hash uuid")
    op.execute("""
comment on column entry_vectors.text_hash is
'The md5 of the text it was made from; null if that is the entry itself. See entry_texts.'""")
    op.execute("create index entry_vectors_text_hash on entry_vectors (text_hash) include (entry_key)")

    op.execute("alter table entry_failures add column text_hash uuid")
    op.execute("""
comment on column entry_failures.text_hash is
'The md5 of the text that was refused; null if that is the entry itself.'""")
    op.execute("create index entry_failures_text_hash on entry_failures (text_hash)")
