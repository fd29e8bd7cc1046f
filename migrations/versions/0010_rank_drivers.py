"""How much a number explains segments is measured by ranks: figures measured otherwise go."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("update run_drivers set eta_squared = null where kind = 'number'")
    op.execute(
        "comment on column run_drivers.eta_squared is"
        " 'Of a number: η² of its ranks, 0 to 1; null in runs described before it was of ranks:"
        " call describe_run(run_id) again.'"
    )
