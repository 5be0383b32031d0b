"""`equipoise serve` and `equipoise work` as they are started from a shell, in processes of their own."""

import ctypes
import http.client
import os
import re
import signal
import socket
import ssl
import stat
from pathlib import Path

import pytest
import trustme
from tests.platform.durability.crowd import Person
from tests.platform.durability.living import (
    ONE,
    Server,
    answers_at,
    equipoise,
    eventually,
    is_running,
    run,
    served,
    with_no_error,
)

from equipoise.platform.workspace import create_workspace

TOKEN = "canary234567canary234567canary23"  # noqa: S105


@pytest.fixture
def workspace(tmp_path, own_database):
    return tmp_path / "workspace"


def get(port, path, *, context=None):
    """A page's status, headers and text."""
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind("localhost", port, timeout=30, **({"context": context} if context else {}))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def worker_of(server):
    """The number of the worker's process, once it is there."""
    found = []

    def there():
        lines = [line for number in server.family() if (line := command_line(number))]
        found[:] = [number for number, words in lines if "work" in words]
        return bool(found)

    assert eventually(there)
    return found[0]


def tell_another_thread(number, how):
    """Send a signal that does not wake the main thread, like one that comes just before that thread waits."""
    other = max(int(task.name) for task in Path(f"/proc/{number}/task").iterdir())
    assert other != number
    assert ctypes.CDLL(None).tgkill(number, other, how) == 0


def page_servers(server):
    """The numbers of the processes that answer, once the web server's own threads run in each."""

    def ready(number):
        return "tokio-rt-worker" in {
            name.read_text().strip() for name in Path(f"/proc/{number}/task").glob("*/comm")
        }

    lines = filter(None, map(command_line, server.family()))
    found = [number for number, words in lines if any("spawn_main" in word for word in words)]
    assert found
    assert eventually(lambda: all(map(ready, found)))
    return found


def command_line(number):
    """The number with what it was started with, or None."""
    try:
        with open(f"/proc/{number}/cmdline") as file:  # noqa: PTH123
            return number, file.read().split("\0")
    except OSError:
        return None


def test_serving_makes_what_is_missing_says_where_it_is_and_logs_nothing_of_who_came(workspace):
    with served(workspace, "--rehearsal") as server:
        status, headers, text = get(server.port, f"/s/{TOKEN}")
        assert status == 404
        assert "This link does not work" in text
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Length"] == str(len(text.encode()))
        sheet = re.search(r'href="(/static/[^"]+\.css)"', text)[1]
        assert get(server.port, sheet)[0] == 200
        for path in (f"/open/{TOKEN}", f"/stop/{TOKEN}", f"/s/{TOKEN}/%0aforged", "/%ff", f"/?{TOKEN}"):
            get(server.port, path)
        family = server.family()
        code, said, errors = server.stop()

    assert code == 0
    assert said.splitlines() == [
        f"Equipoise is at http://127.0.0.1:{server.port} (rehearsal). Ctrl-C ends it.",
        f"Next: equipoise staff add {workspace} EMAIL --name NAME --role administrator",
    ]
    assert errors == ""  # and so neither a token nor a line that somebody else wrote
    assert eventually(lambda: not any(is_running(number) for number in family))
    kept = [path for path in workspace.rglob("*") if path.is_file() and "static" not in path.parts]
    assert [path.name for path in kept if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)] == []


def test_a_workspace_is_served_once_worked_in_by_any_number_and_what_dies_is_started_again(workspace):
    with served(workspace, "--rehearsal", "--quiet") as server:
        worker = worker_of(server)
        if os.environ.get("DATABASE_URL") is None:
            again = equipoise("serve", workspace, "--bind", "127.0.0.1:1")
            assert again.returncode == 2
            assert "is being served already" in again.stderr
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: worker_of(server) != worker)
        told = page_servers(server)[0]
        tell_another_thread(told, signal.SIGTERM)
        assert eventually(lambda: not is_running(told))
        second = equipoise("work", workspace, "--once")
        taken = equipoise("serve", workspace.parent / "other", "--bind", f"127.0.0.1:{server.port}")

    assert second.returncode == 0
    assert "sealed: 0" in second.stdout  # the duties are the first one's
    assert taken.returncode == 2
    assert f"127.0.0.1:{server.port}: cannot be listened on: address already in use" in taken.stderr


def test_whatever_the_server_started_ends_with_it_even_when_it_is_killed(workspace):
    server = Server(workspace, "--rehearsal", "--quiet")
    worker_of(server)
    children = server.family()[:-1]
    server.process.kill()
    server.process.communicate()
    try:
        assert eventually(lambda: not any(is_running(number) for number in children))
        assert not answers_at(server.port)
    finally:
        for number in children:
            with_no_error(os.kill, number, signal.SIGKILL)


def test_what_is_being_answered_at_the_stop_is_answered_and_the_worker_seals_what_was_sent(workspace):
    links = run("make", workspace, 2).split()
    with served(workspace, "--quiet", "--no-worker", *ONE) as server:
        Person(server.port, "quick").answer(links[1])
        person = Person(server.port, "slow").open(links[0])
        person.close()
        hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', person.page)
        body = f"csrfmiddlewaretoken={hidden[1]}" if hidden else "lang=en-GB"
        cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
            head = f"POST {links[0]} HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {cookies}\r\n"
            head += f"Origin: http://localhost:{server.port}\r\nContent-Length: {len(body)}\r\n"
            head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
            slow.sendall(head.encode() + body[:5].encode())
            assert eventually(lambda: answers_at(server.port))
            server.process.send_signal(signal.SIGTERM)
            slow.sendall(body[5:].encode())
            answered = slow.recv(65536).decode("latin-1")
        server.process.communicate(timeout=60)

    assert answered.startswith("HTTP/1.1 303")
    assert server.process.returncode == 0

    first, second = equipoise("work", workspace, "--once"), equipoise("work", workspace, "--once")
    assert "sealed: 5" in first.stdout.splitlines()
    assert "sealed: 0" in second.stdout.splitlines()
    verified = equipoise("verify", workspace, "--json")
    assert verified.returncode == 0
    heads = workspace.parent / "heads.json"
    heads.write_text(verified.stdout, "utf-8")
    assert equipoise("verify", workspace, "--anchor", heads).returncode == 0


def test_tls_can_be_spoken_without_a_proxy(workspace, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    given = ("--certificate", certificate, "--key", key)
    with served(workspace, "--rehearsal", "--quiet", "--no-worker", *ONE, *given) as server:
        assert get(server.port, "/s/" + "a" * 32, context=context)[0] == 404
    wrong = equipoise("serve", workspace, "--certificate", key, "--key", key)
    lone = equipoise("serve", workspace, "--certificate", certificate)

    assert wrong.returncode == lone.returncode == 2
    assert wrong.stderr.startswith(f"{key}: does not go with {key}, or one of them is none")
    assert lone.stderr == "--certificate: a certificate and its --key belong together\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--bind", "8000"), "--bind: 8000: expected HOST:PORT, such as 127.0.0.1:8000"),
        (("--bind", "localhost:eighty"), "--bind: localhost:eighty: expected HOST:PORT"),
        (
            ("--bind", "0.0.0.0:8000"),
            "--bind: 0.0.0.0:8000: a live workspace speaks plain HTTP on loopback only",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_line(workspace, arguments, expected):
    done = equipoise("serve", workspace, *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_no_workspace_is_left_as_it_is(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = [equipoise(command, tmp_path) for command in ("serve", "work", "verify")]

    assert [each.returncode for each in done] == [2, 2, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert all(each.stderr.count("\n") == 1 for each in done)


def test_a_live_workspace_is_not_taken_for_a_rehearsal(workspace):
    create_workspace(workspace, mode="live")
    done = equipoise("serve", workspace, "--rehearsal")

    assert done.returncode == 2
    assert "a rehearsal is a workspace of its own" in done.stderr
