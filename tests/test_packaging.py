"""The wheel carries all it needs; the files around the package are what they should be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from conftest import TESTS

pytestmark = pytest.mark.slow

CHECKOUT = TESTS.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_carries_sql_migrations_and_examples(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "migrations", "examples"):
        files = [path for path in (CHECKOUT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert files
        assert {f"pgaudience/{path.relative_to(CHECKOUT).as_posix()}" for path in files} <= inside
    assert "pgaudience/py.typed" in inside


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path, database: str) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    script = "import pgaudience.resources as r; print(r.folder('sql')); from pgaudience.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "migrate"],
        env={**os.environ, "PYTHONPATH": str(site), "PGAUDIENCE_DATABASE_URL": database},
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(site / "pgaudience" / "sql")
    assert "created" in done.stderr


def test_extras_and_pins() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert {"embedded", "local", "openai", "parquet", "dev"} <= set(extras)
    assert any(re.fullmatch(r"torch==\d+\.\d+\.\d+", requirement) for requirement in extras["local"])
    heavy = ("torch", "openai", "pyarrow", "sentence", "pixeltable")
    assert not [requirement for requirement in project["dependencies"] if requirement.startswith(heavy)]


def test_compose() -> None:
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    database, loader = compose["services"]["db"], compose["services"]["loader"]
    assert re.fullmatch(r"pgvector/pgvector:.*pg18", database["image"])
    assert "pg_isready" in database["healthcheck"]["test"][1]
    (volume,) = database["volumes"]
    name, target = volume.split(":")
    assert name in compose["volumes"] and target == "/var/lib/postgresql"
    assert database["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert all(port.startswith("127.0.0.1:") for port in database["ports"])
    assert loader["depends_on"]["db"]["condition"] == "service_healthy"
    assert loader["environment"]["PGHOST"] == "db"
    assert loader["environment"]["PGPASSWORD"] == database["environment"]["POSTGRES_PASSWORD"]
    assert loader["environment"]["PGDATABASE"] == database["environment"]["POSTGRES_DB"]
    assert 'ENTRYPOINT ["pgaudience"]' in loader["build"]["dockerfile_inline"]
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', loader["build"]["dockerfile_inline"])
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    worker = compose["services"]["worker"]
    assert all(worker[name] == loader[name] for name in ("build", "environment"))
    assert worker["command"] == ["worker"] and worker["restart"] == "unless-stopped"
    assert worker["depends_on"]["db"]["condition"] == "service_healthy"
    assert worker["depends_on"]["loader"]["condition"] == "service_completed_successfully"
    assert "restart" not in loader


def test_compose_of_a_cluster() -> None:
    services = yaml.safe_load((CHECKOUT / "docker-compose.citus.yml").read_text())["services"]
    servers = {name: services[name] for name in ("coordinator", "worker1", "worker2")}
    assert len({server["volumes"][0] for server in servers.values()}) == 3
    assert [name for name, server in servers.items() if server["ports"]] == ["coordinator"]
    assert all("pgvector" in server["build"]["dockerfile_inline"] for server in servers.values())
    joined = " ".join(services["members"]["command"])
    assert all(f"citus_add_node('{name}'" in joined for name in ("worker1", "worker2"))
    assert set(services["members"]["depends_on"]) == set(servers)
    assert services["loader"]["command"] == ["migrate", "--distributed"]
    assert services["loader"]["environment"]["PGHOST"] == "coordinator"
    single = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]["loader"]
    assert services["loader"]["build"] == single["build"]


def test_make_help_lists_the_targets() -> None:
    shown = subprocess.check_output(["make", "-C", str(CHECKOUT), "--no-print-directory", "help"], text=True)
    for target in ("demo", "test", "lint", "golden", "bench", "psql"):
        assert f"make {target} " in shown
