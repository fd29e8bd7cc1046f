"""The command `pgaudience`. Commands import what they need when they run, so that --help is instant."""

from __future__ import annotations

import sys

import click

from pgaudience.cli import comparing, dashboards, data, exports, maps, models, pages, queries, servers, spaces, words
from pgaudience.cli.target import Target
from pgaudience.errors import PgaudienceError
from pgaudience.terminal import escaped_lines

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--database",
    metavar="URL",
    help="postgresql://… [default: PGAUDIENCE_DATABASE_URL, libpq variables, else the embedded server]",
)
@click.option("--schema", default="audience", show_default=True, help="The space.")
@click.version_option(package_name="pgaudience", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, database: str | None, schema: str) -> None:
    """Audiences in plain SQL: load what people did, embed it, search people inside PostgreSQL."""
    source = context.get_parameter_source("schema")
    context.obj = Target(database, schema, schema_given=source is not click.core.ParameterSource.DEFAULT)


for command in (
    *spaces.COMMANDS,
    *data.COMMANDS,
    *models.COMMANDS,
    *queries.COMMANDS,
    *comparing.COMMANDS,
    *maps.COMMANDS,
    *pages.COMMANDS,
    *dashboards.COMMANDS,
    *words.COMMANDS,
    *exports.COMMANDS,
    *servers.COMMANDS,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; an expected failure is one line and a hint on stderr, and exit status 1."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.Abort:
        click.echo("Interrupted. What was committed stays; run the same command again to go on.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PgaudienceError as error:
        _report(error.message, error.hint)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        _report_database_error(error)


def _report_database_error(error: Exception) -> None:
    import psycopg

    if not isinstance(error, psycopg.Error):
        raise error
    lost = (
        "What was committed stays; run the same command again." if isinstance(error, psycopg.OperationalError) else None
    )
    _report(error.diag.message_primary or str(error).strip(), error.diag.message_hint or lost)


def _report(message: str, hint: str | None) -> None:
    click.echo(f"Error: {escaped_lines(message)}", err=True)
    if hint:
        click.echo(f"Hint: {escaped_lines(hint)}", err=True)
    sys.exit(1)
