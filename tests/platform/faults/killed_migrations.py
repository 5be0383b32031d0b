"""A workspace of an earlier version whose upgrade is killed at one statement after another, and begun again.

    python killed_migrations.py WORKSPACE POINTS

One process reads Django once and goes through the statements by copies of itself. So many points between the
first and the last statement are tried, or each where POINTS is 0. Prints, as JSON, how many statements an upgrade has, at which of them it was killed, and what was wrong.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path


def main(folder, points):
    """Count the statements of an upgrade, then kill it at each that is tried."""
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(folder))
    import equipoise.platform.verification  # noqa: F401 - read before the first copy

    databases = Databases(folder)
    total = in_a_copy(lambda: upgrade(databases.fresh("whole"), None))
    tried, wrong = [], []
    step = -(-total // points) if points else 1
    for number in range(total, 0, -step):  # the last one is where Django by itself would be caught
        name = databases.fresh(f"at_{number}")
        ended = in_a_copy(lambda name=name, number=number: upgrade(name, number))
        if ended != -signal.SIGKILL:
            wrong.append([number, f"ended with {ended}"])
        left = in_a_copy(lambda name=name: finish(name))
        if left:
            wrong.append([number, f"{left} things do not fit"])
        tried.append(number)
        databases.drop(name)
    print(json.dumps({"statements": total, "tried": tried, "wrong": wrong}))


class Databases:
    """Copies of the database of the workspace, by name."""

    def __init__(self, folder):
        from django.db import connection

        self.folder, self.settings = folder, connection.settings_dict
        self.sqlite = connection.vendor == "sqlite"
        self.first = str(connection.settings_dict["NAME"])

    def fresh(self, name):
        """A new copy; what the process that asks for it connects to."""
        if self.sqlite:
            place = self.folder / f"{name}.sqlite3"
            shutil.copyfile(self.first, place)
            return str(place)
        self.ask(f"CREATE DATABASE {self.first}_{name} TEMPLATE {self.first}")
        return f"{self.first}_{name}"

    def drop(self, name):
        """Away with a copy: there are as many as an upgrade has statements."""
        if self.sqlite:
            for place in self.folder.glob(f"{Path(name).name}*"):
                place.unlink()
        else:
            self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def ask(self, statement):
        """Something of the PostgreSQL itself."""
        import psycopg

        url = os.environ["DATABASE_URL"].replace(f"/{self.first}?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as opened:
            opened.execute(statement)


def upgrade(name, number):
    """Migrate; kill this process at a statement. How many there were."""
    from django.db import connection

    from equipoise.platform.operations.schema import bring_up_to_date

    connection.settings_dict["NAME"] = name
    count = [0]

    def counted(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            count[0] += 1
            if count[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counted):
        bring_up_to_date()
    return count[0]


def finish(name):
    """Migrate again, and count what does not fit."""
    from django.db import connection

    from equipoise.platform.operations.schema import bring_up_to_date, migrations
    from equipoise.platform.verification import verify_workspace

    connection.settings_dict["NAME"] = name
    bring_up_to_date()
    found = migrations()
    return len(found.pending) + len(found.unknown) + len(verify_workspace().faults)


def in_a_copy(do):
    """What a function gives in a copy of this process, up to 250; less than nothing is how it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(do()).encode())
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    said = os.read(reading, 100)
    os.close(reading)
    return int(said) if said else -os.WTERMSIG(status) if os.WIFSIGNALED(status) else 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
