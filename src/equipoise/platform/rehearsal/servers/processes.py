"""The server and the workers of a rehearsal: the very commands, in processes of their own, over TLS."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from equipoise.errors import CheckFailedError
from equipoise.platform.workspace import Workspace

__all__ = ["Certificates", "Company", "free_port"]

_SECONDS_TO_START = 120
_SECONDS_TO_STOP = 30
_HASTE = "20"  # by how much a worker looks around oftener than with people who wait for hours


class Certificates:
    """A certificate for this machine alone, and the authority that a rehearsal's browsers trust."""

    def __init__(self, folder: Path) -> None:
        """Make them; the folder is made where it does not exist."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = trustme.CA()
        own = authority.issue_cert("localhost")
        self.authority, self.chain, self.key = (folder / name for name in ("ca.pem", "chain.pem", "key.pem"))
        authority.cert_pem.write_to_path(str(self.authority))
        for number, each in enumerate(own.cert_chain_pems):
            each.write_to_path(str(self.chain), append=number > 0)
        own.private_key_pem.write_to_path(str(self.key))
        self.key.chmod(0o600)


class Company:
    """`equipoise serve` and `equipoise work` at a workspace, for the time of a block."""

    def __init__(
        self, workspace: Workspace, port: int, certificates: Certificates, *, workers: int = 1
    ) -> None:
        """Prepare them; `workers` is how many processes send."""
        self._workspace, self._port, self._certificates = workspace, port, certificates
        self._workers, self._processes = workers, list[subprocess.Popen[bytes]]()

    def __enter__(self) -> Self:
        """Start them, and wait until pages are served.

        Raises:
            CheckFailedError: the server did not come up; what it said is in `serve.log`.
        """
        bind = ("--bind", f"127.0.0.1:{self._port}", "--no-worker")
        tls = ("--certificate", str(self._certificates.chain), "--key", str(self._certificates.key))
        server = self._start("serve", *bind, *tls)
        until = time.monotonic() + _SECONDS_TO_START
        while not _answers(self._port):
            if server.poll() is not None or time.monotonic() > until:
                self.__exit__(None, None, None)
                raise CheckFailedError(f"the server did not come up; {self._log('serve')} says why")
            time.sleep(0.05)
        for number in range(self._workers):
            self._start("work", "--quiet", log=f"work-{number + 1}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them as a service is stopped."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def died(self) -> list[str]:
        """The logs of processes that have ended although nobody stopped them."""
        return [str(process.args[-1]) for process in self._processes if process.poll() is not None]  # type: ignore[index]

    def _start(self, command: str, *options: str, log: str = "") -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "equipoise", command, str(self._workspace.folder), *options]
        left_out = ("EQUIPOISE_WORKSPACE", "DJANGO_SETTINGS_MODULE")
        environment = {name: value for name, value in os.environ.items() if name not in left_out}
        environment["EQUIPOISE_HASTE"] = _HASTE
        with self._log(log or command).open("ab") as file:
            process = subprocess.Popen(line, stdout=file, stderr=file, env=environment)  # noqa: S603
        self._processes.append(process)
        return process

    def _log(self, name: str) -> Path:
        return self._workspace.folder.parent / f"{name}.log"


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
