"""`equipoise doctor`: each thing that can be wrong is told in a line, with what to do, and nothing personal."""

import json
import os
import shutil
import socket
from datetime import timedelta
from pathlib import Path

import dns.exception
import dns.resolver
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.conf import settings as configured
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from tests.platform.fieldwork.conftest import enrolled
from tests.platform.fieldwork.test_link_again import ROSTER
from tests.platform.operations.copies import KEYS, equipoise

from equipoise.cli import main
from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.clock import now
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.operations.checks import examine
from equipoise.platform.operations.marker import HELD
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.registry.models import StudyVersion
from equipoise.platform.workspace import Mail, create_workspace

pytestmark = pytest.mark.django_db(transaction=True)
CANARIES = ("alex.example", "07700", "T1", "canary", "Alice", "alice@")
SENDER = "study@trials.example.org"


@pytest.fixture(autouse=True)
def _well(beat, monkeypatch):
    """All that a workspace that is served has: a worker that is alive, style sheets; and no way to the
    network."""
    static = Path(configured.WORKSPACE.folder) / "static"
    before = static / "staticfiles.json"
    kept = before.read_bytes() if before.is_file() else None
    (static / "pages.css").write_text("", "utf-8")
    before.write_text(json.dumps({"paths": {"pages.css": "pages.css"}}), "utf-8")

    def unreachable(*_, **__):
        raise dns.exception.Timeout

    monkeypatch.setattr(dns.resolver, "resolve", unreachable)
    monkeypatch.setattr(
        "equipoise.platform.operations.checks.activate", lambda _: None
    )  # it is active already
    yield
    (static / "pages.css").unlink(missing_ok=True)
    before.unlink() if kept is None else before.write_bytes(kept)


def found(state=None):
    return [each for each in examine(configured.WORKSPACE) if state is None or each.state == state]


def wrongs():
    return {each.check: f"{each.said}. To do: {each.remedy}" for each in found("wrong")}


def test_a_workspace_that_is_well_is_told_so_line_by_line(swing, beat):
    enrolled(swing)
    assert wrongs() == {}
    checks = [each.check for each in found()]
    assert checks == [
        "safety", "disk", "worker", "sending", "pages", "database", "settings", "tables", "clock", "keys",
        "seals", "studies", "waves", "deletions", "carriers", "carriers", "carriers", "messages", "mail",
    ]  # fmt: skip


def test_looking_changes_nothing(swing, answered):
    answered()
    before = (list(Chain.objects.values_list()), Entry.objects.count())
    found()
    assert (list(Chain.objects.values_list()), Entry.objects.count()) == before


def test_the_command_ends_with_0_when_all_is_well_and_with_1_when_something_is_wrong(swing, beat, capsys):
    enrolled(swing)
    folder = str(configured.WORKSPACE.folder)
    with pytest.raises(SystemExit) as stop:
        main(["doctor", folder])
    assert not stop.value.code
    assert "good   keys" in capsys.readouterr().out
    beat(600)
    with pytest.raises(SystemExit) as stop:
        main(["doctor", folder, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert stop.value.code == 1
    assert not said["ok"]
    assert [each["check"] for each in said["checks"] if each["state"] == "wrong"] == ["worker"]
    with pytest.raises(SystemExit):
        main(["doctor", folder, "--quiet"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("wrong  worker     silent for 10 minutes. To do: run `equipoise serve`")


def test_a_worker_that_never_was_is_missed_unless_it_may_be_at_another_machine(swing, beat):
    beat(None)
    (line,) = [each for each in found() if each.check == "worker"]
    assert line.state == ("wrong" if connection.vendor == "sqlite" else "note")


def test_a_key_that_others_can_read_is_named_with_the_command_that_helps(swing):
    place = KEYS / "lookup.key"
    place.chmod(0o644)
    try:
        assert f"run: chmod 600 {place}" in wrongs()["safety"]
    finally:
        place.chmod(0o600)


@pytest.fixture
def known(swing, alice, tmp_path):
    """Somebody whose contact details are kept."""
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER, "utf-8")
    confirm_import(alice, swing, roster)
    return swing


@pytest.fixture
def newer_key():
    """A newer key beside the one that wraps everything."""
    name = configured.WORKSPACE.add_contact_key()
    yield
    (KEYS / f"{name}.key").unlink()


def test_a_key_that_is_missing_although_something_is_wrapped_by_it_is_named(known, newer_key, tmp_path):
    """A newer key is there, so nothing seems to be missing."""
    moved = tmp_path / "away.key"
    shutil.move(KEYS / "contacts-1.key", moved)
    try:
        assert "contacts-1: the key is missing. To do: put contacts-1.key back" in wrongs()["keys"]
    finally:
        shutil.move(moved, KEYS / "contacts-1.key")


def test_a_key_that_does_not_open_what_it_should_is_named(known, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_KEY_CONTACTS_1", os.urandom(32).hex())
    assert "contacts-1: is not the key that contact details were wrapped by" in wrongs()["keys"]


def test_an_older_key_that_only_backups_need_is_told(known, newer_key):
    from equipoise.platform.people.actions import rotate_keys
    from equipoise.platform.staff.actions import CommandLine

    rotate_keys(CommandLine())
    (line,) = [each.said for each in found("good") if each.check == "keys"]
    assert line.endswith("only backups need contacts-1")


def test_pages_that_wait_for_a_seal_are_told_when_they_wait_too_long(swing, answered, at):
    enrolled(swing)
    answered(pages=2)
    assert "seals" not in wrongs()
    at(now() + timedelta(minutes=30))
    assert "2 pages wait for a seal, the oldest for 30 minutes" in wrongs()["seals"]
    seal_everything()
    assert "seals" not in wrongs()


def test_a_folder_of_a_study_that_was_edited_is_told(swing):
    enrolled(swing)
    version = StudyVersion.objects.get()
    place = configured.WORKSPACE.studies / version.folder / "narrative" / "background.md"
    before = place.read_text("utf-8")
    place.write_text(before + "\nAnother sentence.\n", "utf-8")
    try:
        assert "studies/swing/1 is not what was entered" in wrongs()["studies"]
    finally:
        place.write_text(before, "utf-8")
    StudyVersion.objects.update(protocol_hash="0" * 64)
    assert "swing" in wrongs()["studies"]


def test_a_wave_that_is_near_while_nobody_is_enrolled_is_told(swing, at):
    assert "the wave before is open or opens within a week, and nobody is enrolled" in wrongs()["waves"]
    at(now() - timedelta(days=60))
    assert "waves" not in wrongs()
    at(now() + timedelta(days=60))
    enrolled(swing)
    assert "waves" not in wrongs()


def test_tables_of_another_version_are_told(swing):
    rows = list(MigrationRecorder.Migration.objects.all())
    try:
        MigrationRecorder.Migration.objects.filter(app="people").delete()
        assert "changes are not made yet" in wrongs()["tables"]
        MigrationRecorder.Migration.objects.create(app="people", name="0099_of_tomorrow")
        assert any("later version (people.0099_of_tomorrow)" in each.said for each in found("wrong"))
    finally:
        MigrationRecorder.Migration.objects.all().delete()
        MigrationRecorder.Migration.objects.bulk_create(rows)


def test_a_copy_that_still_holds_is_a_note_in_a_rehearsal_and_wrong_where_people_are_real(swing, told):
    (Path(configured.WORKSPACE.folder) / HELD).write_text("restored", "utf-8")
    enrolled(swing)
    assert "sending" in [each.check for each in found("note")]
    told(mode="live")
    assert "equipoise release WORKSPACE --reason WHY" in wrongs()["sending"]


def test_a_clock_that_is_behind_the_record_is_told(swing, told):
    told(mode="live")
    assert "clock" not in wrongs()
    Entry.objects.filter(pk=Entry.objects.order_by("-pk").first().pk).update(at="2199-01-01T00:00:00.000000Z")
    assert "which is past" in wrongs()["clock"]


def test_little_room_is_told(swing, monkeypatch):
    monkeypatch.setattr("equipoise.platform.operations.checks.folder._LITTLE", 2**62)
    assert "make room" in wrongs()["disk"]


def test_style_sheets_that_are_missing_are_told(swing):
    static = Path(configured.WORKSPACE.folder) / "static"
    (static / "pages.css").unlink()
    assert "1 of 1 files for pages are missing" in wrongs()["pages"]
    (static / "staticfiles.json").write_text("{}")
    assert "have not been gathered" in wrongs()["pages"]


def test_a_check_that_fails_is_told_by_its_kind_and_the_others_go_on(swing, monkeypatch):
    enrolled(swing)

    def fail():
        raise OperationalError("canary in the words of a database")

    monkeypatch.setattr("equipoise.platform.operations.checks.database.waiting_for_a_seal", fail)
    assert list(wrongs()) == ["seals"]
    assert "could not be looked at (OperationalError)" in wrongs()["seals"]
    assert "waves" in [each.check for each in found("good")]


# --- Mail ------------------------------------------------------------------------------------------------


class Sink:
    """Counts messages; there should be none."""

    def __init__(self):
        self.messages = 0

    async def handle_DATA(self, server, session, envelope):
        self.messages += 1
        return "250 kept"


@pytest.fixture
def mail_server(settings, told):
    """A function that starts a mail server and names it in the workspace."""
    servers = []

    def start(security="none", **how):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        sink = Sink()
        server = Controller(sink, hostname="127.0.0.1", port=port, **how)
        server.start()
        servers.append(server)
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
        settings.EMAIL_USE_TLS = security == "starttls"
        told(mail=Mail(host="127.0.0.1", port=port, sender=SENDER, security=security))
        return sink

    yield start
    for server in servers:
        server.stop()


def mail_line():
    (line,) = [each for each in found() if each.check == "mail"]
    return line


def test_the_mail_server_is_greeted_and_nothing_is_sent(at, mail_server):
    sink = mail_server()
    assert mail_line().state == "good"
    assert sink.messages == 0


def test_a_mail_server_that_is_not_there_is_told(at, mail_server, settings):
    mail_server()
    settings.EMAIL_PORT = 1
    line = mail_line()
    assert (line.state, "cannot be reached" in line.said) == ("wrong", True)
    assert "workspace.yaml" in line.remedy


def test_a_certificate_that_nobody_vouches_for_is_told(at, mail_server):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    sink = mail_server("starttls", tls_context=context)
    line = mail_line()
    assert line.state == "wrong"
    assert "certificate that cannot be trusted" in line.said
    assert sink.messages == 0


def test_a_password_that_is_refused_is_told_without_being_shown(at, mail_server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "canary-name", "canary-password"
    refuse = {"authenticator": lambda *_: AuthResult(success=False, handled=False)}
    mail_server(auth_require_tls=False, **refuse)
    line = mail_line()
    assert line.state == "wrong"
    assert "refuses the name or the password (code 535)" in line.said
    assert "EQUIPOISE_MAIL_PASSWORD" in line.remedy
    assert "canary" not in f"{line.said} {line.remedy}"


class Record:
    def __init__(self, text):
        self.strings = (text.encode(),)


def names(monkeypatch, records):
    def resolve(name, kind, lifetime):
        assert kind == "TXT"
        if name not in records:
            raise dns.resolver.NXDOMAIN
        return [Record(text) for text in records[name]]

    monkeypatch.setattr(dns.resolver, "resolve", resolve)


SPF, DMARC = "v=spf1 include:mail.example.org -all", "v=DMARC1; p=none"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"trials.example.org": ["hello", SPF], "_dmarc.trials.example.org": [DMARC]}, []),
        ({"trials.example.org": [SPF], "_dmarc.example.org": [DMARC]}, []),
        ({"trials.example.org": ["hello"], "_dmarc.trials.example.org": [DMARC]}, ["no SPF records"]),
        ({"trials.example.org": [SPF, SPF], "_dmarc.trials.example.org": [DMARC]}, ["2 SPF records"]),
        ({"trials.example.org": [SPF]}, ["no DMARC record"]),
        ({}, ["no SPF records", "no DMARC record"]),
    ],
)
def test_the_sender_s_domain_says_who_may_send_for_it(at, mail_server, monkeypatch, records, expected):
    mail_server()
    names(monkeypatch, records)
    lines = [each for each in found() if each.check == "sender"]
    assert [each.state for each in lines] == (["wrong"] * len(expected) or ["good"])
    assert all(words in line.said for words, line in zip(expected, lines, strict=False))


def test_without_a_network_the_domain_is_left_with_a_note(at, mail_server):
    mail_server()
    (line,) = [each for each in found() if each.check == "sender"]
    assert (line.state, "were not looked at" in line.said) == ("note", True)


# --- What is never said, and what a workspace may lack -----------------------------------------------------


def test_nothing_personal_and_no_secret_is_in_the_answer(
    known, answered, mail_server, monkeypatch, settings, capsys
):
    settings.EMAIL_HOST_PASSWORD = "canary-password"  # noqa: S105
    mail_server()
    answered(pages=2, text="a canary in an answer")
    monkeypatch.setenv("EQUIPOISE_KEY_CONTACTS_1", os.urandom(32).hex())
    StudyVersion.objects.update(protocol_hash="0" * 64)
    texts = []
    for words in ([], ["--json"]):
        with pytest.raises(SystemExit):
            main(["doctor", str(configured.WORKSPACE.folder), *words])
        texts.append("".join(capsys.readouterr()))
    secrets = [path.read_text().strip() for path in KEYS.glob("*.key")]
    assert "wrong" in texts[0]
    for text in texts:
        assert [each for each in (*CANARIES, *secrets, SENDER) if each in text] == []


def test_a_workspace_that_was_never_served_is_told_what_sets_it_up(tmp_path):
    create_workspace(tmp_path / "new")
    done = equipoise("doctor", tmp_path / "new")
    assert done.code == 1
    assert "wrong  database   there is none yet. To do: `equipoise serve WORKSPACE` sets it up" in done.out
    assert not (tmp_path / "new" / "database.sqlite3").exists()


def test_a_workspace_without_its_first_key_is_looked_over_as_far_as_that_goes(tmp_path):
    create_workspace(tmp_path / "new")
    (tmp_path / "new" / "keys" / "signing.key").unlink()
    done = equipoise("doctor", tmp_path / "new")
    assert done.code == 1
    assert "signing.key: the key is missing" in done.out
    assert "the rest was not looked at" in done.out


def test_a_folder_that_is_no_workspace_is_refused(tmp_path):
    assert equipoise("doctor", tmp_path).code == 2


def test_messages_that_are_late_and_channels_that_nobody_carries_are_told_with_what_to_do(
    swing, beat, monkeypatch
):
    from datetime import timedelta

    from equipoise.platform.clock import now
    from equipoise.platform.delivery.models import Dispatch
    from equipoise.platform.delivery.watch.watching import watch

    enrolled(swing)
    due = now() - timedelta(hours=2)
    moments = {"due_at": due, "next_at": due, "last_at": due + timedelta(days=7)}
    Dispatch.objects.create(
        study=swing,
        participant=swing.participants.first(),
        contact="weekly-message",
        occasion=1,
        channel="sms",
        carrier="notify",
        **moments,
    )
    lines = [str(each) for each in found() if each.check in ("carriers", "messages")]
    assert any(
        "nobody carries text messages. To do: say sms: notify under carriers" in line for line in lines
    )
    assert any("late messages: 1, the oldest since" in line for line in lines)
    watch()
    (line,) = [each for each in found() if each.check == "messages"]
    assert line.state == "wrong"
    assert "swing: 1 message is due and not sent" in line.said
