"""Messages a second to a mail server: ours, every record and claim included, and a bare loop.

The bare loop builds each message with `EmailMessage` and sends it over one connection that it keeps. Both
send the same words to a server that takes everything, in a process of its own. Like most servers it takes the
commands of an envelope together, which ours makes use of and smtplib does not. Then: whether claiming stays
flat as the table grows.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
MESSAGES = int(os.environ.get("EQUIPOISE_MESSAGES", "8000"))
ROWS = tuple(int(rows) for rows in os.environ.get("EQUIPOISE_ROWS", "10000,1000000").split(","))
_SUBJECT = "This week"
_LONGEST_SECONDS = 600


def main() -> None:
    """Print what was measured, a line each."""
    for what, measured, stated in rows():
        print(f"{what}: {measured}" + (f" (stated: {stated})" if stated else ""), flush=True)


def rows() -> Iterator[tuple[str, str, str]]:
    """What, measured, stated."""
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder, _sink() as port:
        bare = {number: _timed(number, "bare", str(port), str(MESSAGES // number)) for number in (1, 4)}
        for number, each in bare.items():
            yield f"bare loop, messages a second ({_processes(number)})", f"{each:,.0f}", ""
        for database in ("SQLite", "PostgreSQL"):
            with _database(database, Path(folder)):
                for number in (1, 4):
                    each = _engine(Path(folder) / f"{database}-{number}", number, port)
                    what = f"{database}, messages a second ({_processes(number)}); against the bare loop"
                    yield what, f"{each:,.0f}; {each / bare[number]:.2f}", "1 or more, aim 2"
                yield from _claiming(Path(folder) / f"{database}-claims", database)


def _engine(folder: Path, processes: int, port: int) -> float:
    _run("fill", str(folder), str(port), str(MESSAGES))
    return _timed(processes, "work", str(folder / "workspace"))


def _claiming(folder: Path, database: str) -> Iterator[tuple[str, str, str]]:
    said = _run("claims", str(folder), ",".join(map(str, ROWS))).split()
    first = float(said[0])
    for number, milliseconds in zip(ROWS, said, strict=True):
        what = f"{database}, claiming fifty where there are {number:,}, ms; against {ROWS[0]:,}"
        yield what, f"{float(milliseconds):.1f}; {float(milliseconds) / first:.2f}", "1, within noise"


def _processes(number: int) -> str:
    return "one process" if number == 1 else f"{number} processes"


def _timed(number: int, *command: str) -> float:
    """Messages a second by so many processes, which are ready before the time counts."""
    started = [
        subprocess.Popen(
            _command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        for _ in range(number)
    ]
    for each in started:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for each in started:
        assert each.stdin
        each.stdin.write("\n")
        each.stdin.flush()
    sent = sum(int(each.communicate(timeout=_LONGEST_SECONDS)[0]) for each in started)
    return sent / (time.perf_counter() - begun)


def bare(port: str, number: str) -> None:
    """The loop to compare with."""
    import smtplib
    from email.message import EmailMessage
    from email.utils import formatdate

    text = (ROOT / "examples/hhp2/swing/messages/week-1.md").read_text("utf-8").rpartition("---\n")[2]
    print("ready", flush=True)
    sys.stdin.readline()
    with smtplib.SMTP("127.0.0.1", int(port)) as server:
        for each in range(int(number)):
            message = EmailMessage()
            message["From"] = "Equipoise <study@example.org>"
            message["To"] = f"person.{each}@example.org"
            message["Subject"] = _SUBJECT
            message["Date"] = formatdate()
            message["Message-ID"] = f"<{each:032x}@example.org>"
            message["List-Unsubscribe"] = f"<https://study.example.org/stop/one-click/{each:032x}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            said = text.replace("{stop_link}", f"https://study.example.org/stop/{each:032x}")
            message.set_content(said)
            message.add_alternative(f"<!doctype html><html lang=en><p>{said}</p></html>", subtype="html")
            server.send_message(message)
    print(number)


def fill(place: str, port: str, number: str) -> None:
    """A rehearsal whose study has so many messages to send."""
    workspace = _workspace(Path(place), int(port))
    study = _study(workspace, Path(place))
    _plan(study, int(number))


def work(place: str) -> None:
    """A worker that sends what is due, once."""
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(Path(place)))
    from django.urls import get_resolver

    from equipoise.platform.clock import now
    from equipoise.platform.delivery.engine.claims import next_due
    from equipoise.platform.delivery.engine.rules import rules_of
    from equipoise.platform.delivery.engine.sending import send_due
    from equipoise.platform.delivery.writing.composing import Composer
    from equipoise.platform.registry.models import Study

    next_due("smtp")
    study = Study.objects.get()  # a process reads each study and its rules once
    Composer(study)
    rules_of(study, "weekly-message", "email").opens(now())
    get_resolver().url_patterns  # noqa: B018 - read once a process, for the addresses in messages
    print("ready", flush=True)
    sys.stdin.readline()
    print(send_due("smtp", stop=lambda: False))


def claims(place: str, numbers: str) -> None:
    """How long a claim takes, in milliseconds, with so many messages, half of which have gone out."""
    workspace = _workspace(Path(place), 1)
    study = _study(workspace, Path(place))
    from equipoise.platform.delivery.engine.claims import claim, release
    from equipoise.platform.delivery.models import Dispatch

    there = 0
    for number in map(int, numbers.split(",")):
        _add(study, number - there)
        there = number
        took = []
        for _ in range(40):
            begun = time.perf_counter()
            held = claim("smtp", 50)
            took.append(time.perf_counter() - begun)
            release(held.dispatches)
        assert len(held.dispatches) == 50
        assert Dispatch.objects.count() == number
        print(1000 * statistics.median(took), flush=True)


def _workspace(folder: Path, port: int):
    from equipoise.platform.workspace import activate, create_workspace, open_workspace

    create_workspace(folder / "workspace", mode="rehearsal")
    with (folder / "workspace" / "workspace.yaml").open("a", encoding="utf-8") as file:
        file.write(f"mail: {{host: 127.0.0.1, port: {port}, sender: study@example.org, security: none}}\n")
        file.write("carriers: {email: smtp}\n")
    workspace = open_workspace(folder / "workspace")
    activate(workspace)
    from equipoise.platform.serving import make_ready

    make_ready(workspace)
    return workspace


def _study(workspace, place: Path):
    from datetime import UTC, datetime

    from equipoise.allocation import commitment
    from equipoise.platform.clock import set_clock
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.staff.actions import CommandLine
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    folder = _by_mail(place / "swing")
    registration = lock(
        load_study(folder),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(bytes(32)),
        version="bench",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(registration), "utf-8")
    return move_study(CommandLine(), add_study(CommandLine(), folder), "live")


def _by_mail(folder: Path) -> Path:
    """The example whose weekly texts are mails."""
    left_out = shutil.ignore_patterns("amendments", "lock.json")
    shutil.copytree(ROOT / "examples" / "hhp2" / "swing", folder, ignore=left_out)
    protocol = folder / "protocol.yaml"
    protocol.write_text(
        protocol.read_text("utf-8").replace("    channel: sms\n", "    channel: email\n"), "utf-8"
    )
    for place in (folder / "messages").glob("week-*.md"):
        text = place.read_text("utf-8").replace("---\n", f'---\nsubject: "{_SUBJECT}"\n', 1)
        place.write_text(text, "utf-8")
    return folder


def _plan(study, number: int) -> None:
    """So many people, each with a message."""
    from datetime import timedelta

    from django.db import transaction

    from equipoise.platform.clock import now
    from equipoise.platform.delivery.models import Dispatch
    from equipoise.platform.people.contacts import sealed_contact, wrapping_keys
    from equipoise.platform.people.models import ContactDetails

    moment, keys = now(), wrapping_keys()
    said = {"study": study, "contact": "weekly-message", "occasion": 1, "channel": "email", "carrier": "smtp"}
    said |= {"due_at": moment, "next_at": moment, "last_at": moment + timedelta(days=3)}
    with transaction.atomic():
        people = _people(study, number)
        Dispatch.objects.bulk_create(
            (Dispatch(participant=person, **said) for person in people), batch_size=5_000
        )
        ContactDetails.objects.bulk_create(
            sealed_contact(person, {"email": f"person.{person.pk}@example.org"}, keys) for person in people
        )


_ADD = """
INSERT INTO delivery_dispatch (study_id, participant_id, contact, occasion, channel, carrier, due_at, next_at,
    last_at, sent_at, state, reason, attempts, fence, worker, provider_id)
WITH RECURSIVE occasion(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM occasion WHERE number < %s)
SELECT study_id, id, 'weekly-message', number, 'email', 'smtp', enrolled_at, enrolled_at, '2021-03-01',
    CASE WHEN number %% 2 = 0 THEN enrolled_at END, CASE WHEN number %% 2 = 0 THEN 'sent' ELSE 'planned' END,
    '', 0, 0, '', ''
FROM people_participant, occasion WHERE id > %s
"""
_OCCASIONS = 100


def _add(study, number: int) -> None:
    """So many messages more, as quickly as the database makes them."""
    from django.db import connection, transaction

    from equipoise.platform.people.models import Participant

    last = Participant.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    with transaction.atomic(), connection.cursor() as cursor:
        _people(study, number // _OCCASIONS)
        cursor.execute(_ADD, [_OCCASIONS, last])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE delivery_dispatch")  # PostgreSQL does it by itself, but not at once


def _people(study, number: int):
    from equipoise.platform.clock import now
    from equipoise.platform.people.models import Participant

    moment = now()
    return Participant.objects.bulk_create(
        (Participant(study=study, enrolled_at=moment) for _ in range(number)), batch_size=5_000
    )


def sink() -> None:
    """A mail server that takes everything."""
    import asyncio

    from aiosmtpd.controller import UnthreadedController

    class Everything:
        async def handle_EHLO(self, server, session, envelope, hostname, responses):
            session.host_name = hostname
            return [*responses[:-1], "250-PIPELINING", responses[-1]]

        async def handle_DATA(self, server, session, envelope):
            return "250 OK"

    loop = asyncio.new_event_loop()
    controller = UnthreadedController(Everything(), hostname="127.0.0.1", port=0, loop=loop)
    controller.begin()
    print(controller.server.sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


@contextmanager
def _sink() -> Iterator[int]:
    process = subprocess.Popen(_command("sink"), stdout=subprocess.PIPE, text=True, cwd=HERE)
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def _database(name: str, folder: Path) -> Iterator[None]:
    """SQLite lies in each workspace; a PostgreSQL is emptied by each that fills it."""
    if name == "SQLite":
        yield
        return
    import pgserver

    server = pgserver.get_server(folder / "postgresql")
    os.environ["EQUIPOISE_BENCH_SERVER"] = server.get_uri()
    try:
        yield
    finally:
        for variable in ("EQUIPOISE_BENCH_SERVER", "DATABASE_URL"):
            os.environ.pop(variable, None)
        server.cleanup()


def _command(*arguments: str) -> list[str]:
    script = f"import sys; from sending import {arguments[0]}; {arguments[0]}(*sys.argv[1:])"
    return [sys.executable, "-c", script, *arguments[1:]]


def _run(*arguments: str) -> str:
    server = os.environ.get("EQUIPOISE_BENCH_SERVER")
    if server:
        _empty(server)
    return subprocess.run(
        _command(*arguments), cwd=HERE, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _empty(server: str) -> None:
    """A new database in place of the one before."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench")
        connection.execute("CREATE DATABASE bench")
    base, _, options = server.partition("?")
    os.environ["DATABASE_URL"] = f"{base.rpartition('/')[0]}/bench" + (f"?{options}" if options else "")


if __name__ == "__main__":
    main()
