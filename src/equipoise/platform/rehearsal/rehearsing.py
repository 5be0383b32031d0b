"""The whole rehearsal, from the folder of a study to the verdict.

A process has one workspace. What needs Django is imported once the rehearsal's own is made.
"""

import os
import secrets
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.platform.rehearsal.cast.chromium import refuse_missing
from equipoise.platform.rehearsal.cast.inbox import Inbox
from equipoise.platform.rehearsal.diary import Diary
from equipoise.platform.rehearsal.living import Living, copy_living, make_sign_ins
from equipoise.platform.rehearsal.notify_server import CallBack, NotifyServer
from equipoise.platform.rehearsal.servers.post import Post
from equipoise.platform.rehearsal.servers.processes import Certificates, Company, free_port
from equipoise.platform.rehearsal.staging import (
    Stage,
    first_moment,
    refuse_unplayable,
    settings_of,
    stage_of,
    staged_study,
)
from equipoise.platform.rehearsal.verdict import Check, Verdict
from equipoise.platform.workspace import activate

if TYPE_CHECKING:
    from equipoise.platform.rehearsal.drive import Driver
    from equipoise.platform.rehearsal.production import Production

__all__ = ["Wanted", "rehearse", "rehearse_all"]

_BEFORE = timedelta(days=3)  # people are enrolled so long before anything is sent
_KEY, _TOKEN = "EQUIPOISE_NOTIFY_KEY", "EQUIPOISE_NOTIFY_CALLBACK"


@dataclass(frozen=True)
class Wanted:
    """One study to rehearse: its folder, and how many people."""

    folder: Path
    people: int


def rehearse(
    folder: Path, people: int, seed: int, out: Path, *, browsers: int = 0, seeds: int = 0
) -> Verdict:
    """Rehearse one study; once a process.

    Args:
        folder: of the study, locked or not; it is copied.
        people: how many are invented.
        seed: any whole number; the same seed invents the same people, answers and habits.
        out: a new or empty folder, for the workspace, the data, the report and the verdict.
        browsers: how many people use Chromium.
        seeds: over how many seeds the sampling and the analysis are repeated besides.
    Returns:
        The verdict; it lies in `verdict.json` and `verdict.txt` too.
    Raises:
        InputError, NotSupportedError: the study or the folder does not do.
        CheckFailedError: the rehearsal came to a stand.
    """
    return rehearse_all([Wanted(folder, people)], seed, out, browsers=browsers, seeds=seeds)[0]


def rehearse_all(
    wanted: Sequence[Wanted],
    seed: int,
    out: Path,
    *,
    browsers: int = 0,
    seeds: int = 0,
    living: Living | None = None,
) -> list[Verdict]:
    """Rehearse several studies side by side in one workspace.

    The rest is as for `rehearse`; of a `living` trial a copy is kept as it stood at its moment, with accounts
    to sign in.
    """
    for each in wanted:
        refuse_unplayable(each.folder, out)
    if browsers:
        refuse_missing()
    with ExitStack() as open_things:
        open_things.callback(os.umask, os.umask(0o077))  # what is made is ours alone
        diary = Diary(datetime.now(UTC))
        scene = open_things.enter_context(_scene(diary, out))
        activate(scene.stage.workspace)
        from equipoise.platform.clock import set_clock
        from equipoise.platform.rehearsal.drive import Driver
        from equipoise.platform.rehearsal.production import Production
        from equipoise.platform.serving import make_ready

        make_ready(scene.stage.workspace)
        productions, known = [], 0
        for each in wanted:
            folder, secret = staged_study(scene.stage, each.folder)
            productions.append(Production.of(folder, secret, each.people, seed, known))
            known += each.people
        diary.moment = min(first_moment(production.folder) for production in productions) - _BEFORE
        set_clock(diary.moment)
        for production in productions:
            production.bring_in(scene.stage)
        scene.post.gone = {p.email for each in productions for p in each.cast if p.habits.bounces}
        scene.post.busy = {p.email for each in productions for p in each.cast if p.habits.busy}
        scene.call_back()
        with Company(scene.stage.workspace, scene.port, scene.certificates) as company:
            inbox = Inbox(diary, scene.post, scene.notify)
            driver = Driver(productions, diary, inbox, scene.certificates.authority, died=company.died)
            driver.acting.chromium = browsers
            if living is not None:
                make_sign_ins(scene.stage.workspace.folder)
                copy = partial(copy_living, scene.stage.workspace.folder, living.folder)
                driver.interludes.append((living.at, copy))
            driver.run()
        # Nobody works at it any more: data are sealed while nothing else is done in the study.
        verdicts = [_judged(each, driver, scene, seeds) for each in productions]
    _write(out, verdicts)
    return verdicts


@dataclass(frozen=True)
class _Scene:
    """The servers on this machine, and the workspace that is told of them."""

    stage: Stage
    port: int
    certificates: Certificates
    post: Post
    notify: NotifyServer
    token: str

    def call_back(self) -> None:
        """Let Notify tell the platform what became of texts, and of those that came in."""
        from django.urls import reverse

        origin = f"https://localhost:{self.port}"
        trusted = ssl.create_default_context(cafile=str(self.certificates.authority))
        receipts, texts = (origin + reverse(name) for name in ("notify-receipt", "notify-text"))
        self.notify.call_back(CallBack(receipts, texts, self.token, trusted=trusted))


@contextmanager
def _scene(diary: Diary, out: Path) -> Iterator[_Scene]:
    port, token = free_port(), secrets.token_urlsafe(24)
    post = Post(free_port(), diary.now, diary.number)
    with NotifyServer(clock=diary.now) as notify:
        settings = settings_of(f"https://localhost:{port}", post.port, notify.address, notify.templates)
        stage = stage_of(out, settings)
        given = {_KEY: notify.keys.key("test"), _TOKEN: token}
        # Another workspace's database, keys and passwords are none of a rehearsal's business.
        others = [name for name in os.environ if name == "DATABASE_URL" or name.startswith("EQUIPOISE_")]
        before = {name: os.environ.pop(name, None) for name in (*others, *given)}
        os.environ.update(given)
        post.start()
        try:
            yield _Scene(stage, port, Certificates(out / "tls"), post, notify, token)
        finally:
            post.stop()
            _restore(before)


def _restore(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _judged(production: "Production", driver: "Driver", scene: _Scene, seeds: int) -> Verdict:
    from equipoise.platform.rehearsal.ending import ended
    from equipoise.platform.rehearsal.rates import rate_check, rates
    from equipoise.platform.rehearsal.verdict.answers import answer_check
    from equipoise.platform.rehearsal.verdict.dose import dose_check, film_checks
    from equipoise.platform.rehearsal.verdict.effects import effect_check
    from equipoise.platform.rehearsal.verdict.messages import message_checks
    from equipoise.platform.verification import verify_workspace

    ending = ended(production, scene.stage.folder)
    verified = verify_workspace()
    reported = () if ending.report else (ending.trouble,)
    checks: tuple[Check, ...] = (
        *message_checks(production, driver.inbox.messages, driver.inbox.post.refusals),
        Check("pages", "No page failed anybody", len(production.answered), tuple(driver.acting.troubles)),
        answer_check(production, ending.export),
        dose_check(production, driver.inbox.messages, ending.export),
        *film_checks(production, driver.inbox.messages, ending.export),
        effect_check(production.folder, ending.findings, production.scripts[-1].planted),
        Check("record", "The record verifies", len(verified.heads), tuple(verified.faults)),
        Check("report", "The report is written", len(ending.findings.findings), reported),
    )
    if seeds:
        drawn = range(production.seed + 1, production.seed + 1 + seeds)
        checks += (rate_check(rates(production.folder, len(production.cast), drawn)),)
    return Verdict(production.name, len(production.cast), production.seed, checks)


def _write(out: Path, verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        place = out / "verdicts" / verdict.study if len(verdicts) > 1 else out
        place.mkdir(parents=True, exist_ok=True)
        (place / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
        (place / "verdict.txt").write_text("\n".join(verdict.lines()) + "\n", encoding="utf-8")
