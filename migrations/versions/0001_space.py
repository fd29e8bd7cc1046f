"""One embedding space: its policies, its star schema, its vectors, its bookkeeping."""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Vectors of up to this many dimensions fit a page, so they can stay in the row: no TOAST fetch per vector.
PLAIN_STORAGE_DIMENSIONS = 2000


def upgrade() -> None:
    attributes = context.config.attributes
    dimensions = int(attributes["dimensions"])
    op.execute("""
create table space (
    singleton boolean primary key default true check (singleton),
    model text not null,
    dimensions integer not null check (dimensions between 1 and 16000),
    weighting text not null default 'log' check (weighting in ('log', 'frequency', 'sqrt', 'binary')),
    created_at timestamptz not null default now(),
    refreshed_at timestamptz,
    bundle_digest text
)""")
    op.execute("comment on table space is 'What this schema is: one embedding model and the policies of its profiles.'")
    op.execute("comment on column space.singleton is 'Always true: a space has exactly one row here.'")
    op.execute("comment on column space.model is 'The embedding model, as provider:name.'")
    op.execute("comment on column space.dimensions is 'The number of dimensions of every vector in the space.'")
    op.execute("""
comment on column space.weighting is
'How a frequency f becomes a weight: log is ln(1 + f), frequency is f, sqrt is the root of f, binary is 1.
Example: update space set weighting = ''sqrt''; call refresh();'""")
    op.execute("comment on column space.created_at is 'When the space was created.'")
    op.execute("comment on column space.refreshed_at is 'When refresh() last ran; null before the first time.'")
    op.execute("comment on column space.bundle_digest is 'SHA-256 of what is installed: files, migration, roles.'")

    op.execute(f"create type user_vector as (embedding vector({dimensions}))")
    op.execute("comment on type user_vector is 'Gives computed vectors the dimensions of the space: vector(n).'")
    op.execute("comment on column user_vector.embedding is 'The vector.'")
    op.execute("comment on table alembic_version is 'The newest migration that is in the space.'")
    op.execute("comment on column alembic_version.version_num is 'Its number.'")

    base = attributes["base"]
    if base is None:
        _people()
    entries = "entries" if base is None else f"{base}.entries"

    op.execute(f"""
create table entry_vectors (
    entry_key bigint primary key references {entries} on delete cascade,
    embedding vector({dimensions}) not null,
    embedded_at timestamptz not null default now()
)""")
    op.execute("comment on table entry_vectors is 'The vector of every entry that is embedded.'")
    op.execute("comment on column entry_vectors.entry_key is 'The entry.'")
    op.execute("comment on column entry_vectors.embedding is 'The vector of its text, of unit length.'")
    op.execute("comment on column entry_vectors.embedded_at is 'When the vector was stored.'")

    op.execute(f"""
create table entry_failures (
    entry_key bigint primary key references {entries} on delete cascade,
    error text not null,
    attempts integer not null default 1 check (attempts > 0),
    failed_at timestamptz not null default now()
)""")
    op.execute("comment on table entry_failures is 'Entries the model refused; the next embed tries them again.'")
    op.execute("comment on column entry_failures.entry_key is 'The entry.'")
    op.execute("comment on column entry_failures.error is 'What the model said.'")
    op.execute("comment on column entry_failures.attempts is 'How often it was tried.'")
    op.execute("comment on column entry_failures.failed_at is 'When it was last tried.'")

    op.execute(f"""
create table queries (
    query_key bigint generated always as identity primary key,
    query text not null,
    embedding vector({dimensions}),
    exact boolean not null generated always as (embedding is not null) stored,
    requested_at timestamptz not null default now(),
    embedded_at timestamptz,
    error text,
    attempts integer not null default 0
)""")
    op.execute("create unique index queries_query on queries ((md5(query)::uuid))")
    op.execute("create index queries_waiting on queries (query_key) where embedding is null")
    op.execute("comment on table queries is 'Texts searched for, with their vectors: a search pays the model once.'")
    op.execute("comment on column queries.query_key is 'Key used inside the space.'")
    op.execute("comment on column queries.query is 'The text as normalize_text gives it.'")
    op.execute("comment on column queries.embedding is 'Its vector, of unit length; null while it waits.'")
    op.execute("comment on column queries.exact is 'Whether the vector is the model''s own.'")
    op.execute("comment on column queries.requested_at is 'When it was asked for.'")
    op.execute("comment on column queries.embedded_at is 'When the vector was stored.'")
    op.execute("comment on column queries.error is 'What the model said, if it refused the text.'")
    op.execute("comment on column queries.attempts is 'How often the model refused it.'")

    for table in ("entry_vectors", "queries"):
        if dimensions <= PLAIN_STORAGE_DIMENSIONS:
            op.execute(f"alter table {table} alter column embedding set storage plain")

    op.execute("""
create table loads (
    load_key bigint generated always as identity primary key,
    source text not null,
    digest bytea not null,
    mode text not null check (mode in ('replace', 'add')),
    rows_read bigint not null,
    rows_rejected bigint not null,
    loaded_at timestamptz not null default now(),
    loaded_by text not null default session_user,
    check (rows_rejected between 0 and rows_read)
)""")
    op.execute("create index loads_digest on loads (digest)")
    op.execute("comment on table loads is 'The journal: one row for each load that is in the space.'")
    op.execute("comment on column loads.load_key is 'Key used inside the space.'")
    op.execute("comment on column loads.source is 'The file or query.'")
    op.execute("comment on column loads.digest is 'SHA-256 of its content, so that it is not added twice.'")
    op.execute("comment on column loads.mode is 'Whether the load replaced the activity of its users or added to it.'")
    op.execute("comment on column loads.rows_read is 'Rows of the source.'")
    op.execute("comment on column loads.rows_rejected is 'Rows that could not be used.'")
    op.execute("comment on column loads.loaded_at is 'When the load was committed.'")
    op.execute("comment on column loads.loaded_by is 'The database role that ran it.'")

    op.execute("""
create table changes (
    relation text not null,
    changed_at timestamptz not null default now()
)""")
    op.execute("comment on table changes is 'What has changed since the last refresh(), which empties it.'")
    op.execute("comment on column changes.relation is 'The table that changed.'")
    op.execute("comment on column changes.changed_at is 'When.'")

    op.execute("""
create table installed_objects (
    position integer primary key,
    file text not null,
    digest text not null,
    kind text not null,
    identity text not null
)""")
    op.execute("comment on table installed_objects is 'What migrate has installed from sql/, in order.'")
    op.execute("comment on column installed_objects.position is 'Order of installation.'")
    op.execute("comment on column installed_objects.file is 'The file that made it.'")
    op.execute("comment on column installed_objects.digest is 'SHA-256 of that file.'")
    op.execute("comment on column installed_objects.kind is 'What it is, as DROP names it.'")
    op.execute(
        "comment on column installed_objects.identity is 'Its qualified name, with arguments where it has some.'"
    )


def _people() -> None:
    op.execute("""
create table users (
    user_key bigint generated always as identity primary key,
    user_id text not null unique,
    attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object')
)""")
    op.execute("create index users_attributes on users using gin (attributes jsonb_path_ops)")
    op.execute("comment on table users is 'The people: one row for each user id ever loaded.'")
    op.execute("comment on column users.user_key is 'Key used inside the space.'")
    op.execute("comment on column users.user_id is 'The id your own systems use.'")
    op.execute("""
comment on column users.attributes is
'What else is known of the user, as a JSON object; the filter of search_users looks here.'""")

    op.execute("""
create table entries (
    entry_key bigint generated always as identity primary key,
    entry text not null,
    attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
    created_at timestamptz not null default now()
)""")
    op.execute("create unique index entries_entry on entries ((md5(entry)::uuid))")
    op.execute("comment on table entries is 'The distinct texts: places, products, searches; each is embedded once.'")
    op.execute("comment on column entries.entry_key is 'Key used inside the space.'")
    op.execute("""
comment on column entries.entry is
'The text as normalize_text gives it; unique by its hash, so that a long text works too.'""")
    op.execute("comment on column entries.attributes is 'What else is known of the entry, as a JSON object.'")
    op.execute("comment on column entries.created_at is 'When the entry was first seen.'")

    # No foreign keys here: their row triggers cost several times the load itself. The loader writes only keys it
    # has just looked up, and triggers of sql/ remove the activity of users and entries that are deleted.
    op.execute("""
create table activity (
    user_key bigint not null,
    entry_key bigint not null,
    frequency double precision not null check (frequency > 0 and frequency < 'infinity'),
    first_at timestamptz,
    last_at timestamptz,
    primary key (user_key, entry_key)
)""")
    op.execute("comment on table activity is 'Who did what, how often: one row for each pair of user and entry.'")
    op.execute("comment on column activity.user_key is 'The user.'")
    op.execute("comment on column activity.entry_key is 'The entry.'")
    op.execute("comment on column activity.frequency is 'How often, or how much; positive.'")
    op.execute("comment on column activity.first_at is 'The first time, where the source had times.'")
    op.execute("comment on column activity.last_at is 'The last time, where the source had times.'")
