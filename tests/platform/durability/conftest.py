"""How often: a few rounds with fixed seeds every day, the stated ones with EQUIPOISE_STATED=1 (`make soak`)."""

import os

import pytest

STATED = os.environ.get("EQUIPOISE_STATED") == "1"


@pytest.fixture
def kills():
    """How often the server is killed."""
    return 20 if STATED else 3


@pytest.fixture
def own_database(tmp_path, monkeypatch):
    """Where the tests run on PostgreSQL: an empty database for the workspace that the test makes."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        return
    import psycopg

    name = f"lived_{abs(hash(tmp_path))}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    parts = url.split("?")
    parts[0] = parts[0].rpartition("/")[0] + f"/{name}"
    monkeypatch.setenv("DATABASE_URL", "?".join(parts))
