"""PostgreSQL's own programs for copies of a database; they come with its client."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from equipoise.errors import InputError, Problem

__all__ = ["fill_database", "run_program"]

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def fill_database(dump: Path, url: str) -> None:
    """Fill an empty PostgreSQL with a copy, all of it or nothing.

    Raises:
        InputError: it is not empty, cannot be reached, or `pg_restore` is missing or failed.
    """
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as opened:
            version = opened.info.server_version // 10_000
            tables = opened.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    except psycopg.OperationalError:
        raise InputError(Problem("DATABASE_URL", "", "the database cannot be reached")) from None
    if tables is None or tables[0]:
        message = "the database is not empty; make a new one and name it in DATABASE_URL"
        raise InputError(Problem("DATABASE_URL", "", message))
    parts = psycopg.conninfo.conninfo_to_dict(url)
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    run_program("pg_restore", version, [*options, f"--dbname={parts.get('dbname', '')}", str(dump)], parts)


def run_program(program: str, version: int, options: Sequence[str], parts: Mapping[str, Any]) -> None:
    """Run a program of PostgreSQL; how to connect is in its environment, where others cannot see it.

    Args:
        program: `pg_dump` or `pg_restore`.
        version: of the server; the program is at least as new.
        options: of the command.
        parts: how to connect, by the names of libpq; what else is in it is left out.
    Raises:
        InputError: it is not here, or it failed.
    """
    from psycopg.pq import Conninfo

    names = {each.keyword.decode(): each.envvar.decode() for each in Conninfo.get_defaults() if each.envvar}
    told = {names[name]: str(value) for name, value in parts.items() if name in names and value is not None}
    command = [_found(program, version), "--no-password", *options]
    done = subprocess.run(  # noqa: S603
        command, env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise InputError(Problem(program, "", f"failed: {why}"))


def _found(program: str, version: int) -> str:
    """The program, at least as new as the server: an older one refuses it."""
    places = [shutil.which(program), *(str(path) for path in sorted(_DEBIAN.glob(f"*/bin/{program}")))]
    for place in places:
        if place and _version(place) >= version:
            return place
    message = (
        f"is needed in version {version} or later, as the server is; install PostgreSQL's client programs"
    )
    raise InputError(Problem(program, "", message))


def _version(place: str) -> int:
    done = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = _VERSION.search(done.stdout)
    return int(found[1]) if found else 0
