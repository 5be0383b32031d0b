"""Backups of the tests' own workspace, and workspaces made of them by the command, in processes of their own."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[3]
KEYS = Path(settings.WORKSPACE.folder) / "keys"
POSTGRESQL = Path(find_spec("pgserver").origin).parent / "pginstall" / "bin"


def equipoise(*words, **environment):
    """A command that has ended: its code, what it said, and its answer where it was asked for JSON."""
    left_out = ("EQUIPOISE_WORKSPACE", "DJANGO_SETTINGS_MODULE", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    paths = {"PATH": f"{POSTGRESQL}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "equipoise", *map(str, words)],
        env={**kept, **paths, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = json.loads(done.stdout) if "--json" in words and done.stdout else None
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, said=said)


def python(text, *words, **environment):
    """A few lines of Python in a process of their own."""
    kept = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", text, *map(str, words)], env=kept, capture_output=True, text=True, check=False
    )


def another_database(name):
    """An empty PostgreSQL beside the one of the tests, as an environment; none where they run on SQLite."""
    if connection.vendor == "sqlite":
        return {}
    import psycopg

    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as opened:
        opened.execute(f"CREATE DATABASE {name}")
    head, _, rest = url.partition("?")
    return {"DATABASE_URL": f"{head.rpartition('/')[0]}/{name}?{rest}"}
