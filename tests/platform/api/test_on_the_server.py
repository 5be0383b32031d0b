"""The interface on the real server: rosters in, counts out, frames out; an upload that is cut off; no token in a log."""

import http.client
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.platform.api.rosters import ROOT, ROSTERS, roster
from tests.platform.durability import living
from tests.platform.durability.conftest import own_database  # noqa: F401
from tests.platform.durability.living import ONE, _environment, served

SECONDS = 60


def ask(port, token, method, path, body=None, kind="text/csv"):
    connection = http.client.HTTPConnection("localhost", port, timeout=SECONDS)
    try:
        head = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        connection.request(method, path, body, head)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def cut_off(port, token, body):
    """Send half a body and hang up."""
    head = [
        f"POST {ROSTERS} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: text/csv",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection(("localhost", port), timeout=SECONDS) as line:
        line.sendall("\r\n".join([*head, "", ""]).encode() + body[: len(body) // 2])


def in_pieces(port, token, body):
    """Send a body without saying how long it is."""
    connection = http.client.HTTPConnection("localhost", port, timeout=SECONDS)
    try:
        head = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
        connection.request("POST", ROSTERS, iter([body]), head, encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def service_in(folder):
    """The token of a service with every scope, in a workspace of its own."""
    command = [sys.executable, __file__, str(folder)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def make(folder):
    """A rehearsal with `swing` live, and a service of it."""
    living.make(folder, 0)
    from equipoise.platform.registry.queries import study_named
    from equipoise.platform.services.actions import make_service
    from equipoise.platform.services.scopes import SCOPES
    from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant

    study = study_named("swing")
    alice = add_member(CommandLine(), "alice@example.org", "Alice (synthetic)")
    grant(CommandLine(), alice, "lead", Place(study))
    print(make_service(CommandLine(), study, "Payroll (synthetic)", SCOPES, keeper=alice).token)


def test_a_program_sends_a_roster_and_fetches_counts_and_data(tmp_path, own_database):  # noqa: F811
    folder = tmp_path / "workspace"
    token = service_in(folder)
    with served(folder, *ONE) as server:
        cut_off(server.port, token, roster(400))
        status, _, body = ask(server.port, token, "GET", f"{ROOT}counts")
        assert (status, json.loads(body)["waves"][0]["asked"]) == (200, 0)
        status, body = in_pieces(server.port, token, roster(4))
        assert (status, b"Content-Length" in body) == (411, True)

        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, server.port, token, "POST", ROSTERS, roster(400)) for _ in range(4)]
        told = [(each.result()[0], json.loads(each.result()[2])) for each in asked]
        assert {status for status, _ in told} == {200}
        assert sorted(said["outcome"] for _, said in told) == ["stored", *["stored-already"] * 3]
        assert {said["counts"]["new"] for _, said in told} == {400}
        status, _, body = ask(server.port, token, "GET", f"{ROOT}counts")
        assert json.loads(body)["waves"][0]["asked"] == 400

        status, headers, _ = ask(server.port, token, "POST", f"{ROOT}exports", "{}", "application/json")
        assert status == 202
        until = time.monotonic() + SECONDS
        while (told := json.loads(ask(server.port, token, "GET", headers["Location"])[2]))[
            "state"
        ] != "ready":
            assert time.monotonic() < until, told
            time.sleep(0.2)
        status, _, body = ask(server.port, token, "GET", f"{headers['Location']}/participants.parquet")
        assert (status, body[:4]) == (200, b"PAR1")

        assert ask(server.port, "wrong", "GET", f"{ROOT}counts")[0] == 401
        assert not list((folder / "uploads").glob("*"))
        _, out, err = server.stop()
    assert "a token was refused" in err
    assert token not in out + err


if __name__ == "__main__":
    make(sys.argv[1])
