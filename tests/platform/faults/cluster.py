"""A PostgreSQL that is killed hard and started again."""

import os
import signal
import subprocess

from tests.platform.durability.living import eventually, is_running

__all__ = ["Cluster"]


class Cluster:
    """The server that keeps its data in a folder; begun there, unless it runs already."""

    def __init__(self, folder):
        import pgserver

        self.server = pgserver.get_server(folder, cleanup_mode="delete")

    def restart(self):
        """End every process of it at once, as `pg_ctl -m immediate` does, and start it again."""
        number = self.server.get_pid()
        os.kill(number, signal.SIGQUIT)
        assert eventually(lambda: not is_running(number))
        for _ in range(6):
            try:
                return self.server.ensure_postgres_running()
            except subprocess.TimeoutExpired:
                continue  # it goes on starting, and takes longer than its helper waits
        raise AssertionError("PostgreSQL did not start again")
