"""`equipoise demo`: the whole programme of the examples, from the written protocol to the reports.

Each study goes the road that a real one goes, by the same commands: lock, import, allocate, analyse, report.
Only the people's answers are simulated, and only the clock of the lock is a rehearsal's: it stands two weeks
before the first survey opens, and the lock says so.

The first three trials are rehearsed on the platform besides, with fewer people, who get real mail and answer
real pages. A copy of that as it stood in the spring can be walked through.
"""

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, each, working
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.protocol import Study

__all__ = ["demo"]

# Chosen from the first twenty, so that each simulated study shows what was planted in it.
SEED = 4
REHEARSED = {"symbolic-awards": 120, "swing": 120, "mod-ing": 60}
# One trial's last survey is about to close, another's has just opened, the third sends its weekly e-mails.
_LIVING = datetime(2021, 4, 28, 13, tzinfo=UTC)
_LEAD = timedelta(weeks=2)


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or empty folder for the demonstration.")
    ],
    reports_only: Annotated[
        bool, typer.Option("--reports-only", help="Leave out the rehearsal, which takes some minutes.")
    ] = False,
    codes: Annotated[
        bool,
        typer.Option(
            "--codes", help="Of a demonstration that is there: who can sign in, and with which code."
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the demonstration programme: six studies, seven reports, and three trials rehearsed.

    All people, organisations and answers in it are invented.
    """
    if codes:
        _tell_codes(folder, json=json)
        return
    from equipoise.cli.report import report
    from equipoise.protocol.programme import load_programme

    if folder.exists() and any(folder.iterdir()):
        raise InputError(
            Problem(str(folder), "", "the folder is not empty; name a new one, or empty it first")
        )
    studies = folder / "studies"
    shutil.copytree(_examples(), studies, ignore=shutil.ignore_patterns("__pycache__"))
    programme = load_programme(studies)
    names = [study.protocol.study.id for study in programme.studies]
    for name in each(names, "Running the studies", quiet=quiet or json):
        _run(studies / name, folder)
    report(studies, folder / "reports", folder / "findings", quiet=True)
    pages = {"programme": folder / "reports" / "index.html"}
    pages |= {name: folder / "reports" / name / "index.html" for name in names}
    lines = ["Seven reports, of invented people in invented organisations:"]
    lines += [f"  {name:<22} {page}" for name, page in pages.items()]
    lines += [
        f"The studies are in {studies}, their data in {folder / 'data'}, "
        f"the findings in {folder / 'findings'}.",
        f"Check a draw: equipoise verify {studies / 'swing' / 'allocation' / 'arms.csv.record.json'} "
        f"--secret {folder / 'secrets' / 'swing.secret'}",
    ]
    ready = True
    if not reports_only:
        told, ready = _rehearsed(studies, folder, quiet=quiet or json)
        lines += told
    answer(lines, {"reports": {name: str(page) for name, page in pages.items()}}, json=json, quiet=quiet)
    if not ready:
        raise typer.Exit(1)


def _rehearsed(studies: Path, folder: Path, *, quiet: bool) -> tuple[list[str], bool]:
    """The trials rehearsed on the platform: what to say of it, and whether nothing was broken."""
    from equipoise.platform.rehearsal.living import Living
    from equipoise.platform.rehearsal.rehearsing import Wanted, rehearse_all

    wanted = [Wanted(studies / name, people) for name, people in REHEARSED.items()]
    place, living = folder / "rehearsal", Living(folder / "workspace", _LIVING)
    with working("Rehearsing the first three studies", quiet=quiet):
        verdicts = rehearse_all(wanted, SEED, place, living=living)
    lines = [f"Rehearsed on the platform, by real mail, links and pages; everything is in {place}:"]
    lines += [f"  {list(verdict.lines())[-1]}" for verdict in verdicts]
    lines += [
        f"These trials in their middle, to walk through: equipoise serve {living.folder}",
        f"Who can sign in there, and with which code: equipoise demo {folder} --codes",
    ]
    return lines, all(verdict.ok for verdict in verdicts)


def _tell_codes(folder: Path, *, json: bool) -> None:
    """Who can sign in to the demonstration that is there; nothing of this works anywhere else."""
    from equipoise.platform.rehearsal.living import sign_ins

    found = sign_ins(folder / "workspace")
    lines = ["Each code is good for a minute, and once; for a new one, give this command again."]
    lines += [f"  {each.email:<28} password {each.password}  code {code}" for each, code in found]
    told = [{**vars(each), "code": code} for each, code in found]
    answer(lines, {"sign_ins": told}, json=json)


def _examples() -> Path:
    """The example programme: inside the installed package, or beside the sources of a checkout."""
    package = Path(__file__).parents[1]
    for place in (package / "examples" / "hhp2", package.parents[1] / "examples" / "hhp2"):
        if (place / "programme.yaml").is_file():
            return place
    raise InputError(Problem(str(package), "", "the example programme is not installed with this package"))


def _run(study: Path, folder: Path) -> None:
    """One study, from its protocol to its findings."""
    from equipoise.cli.allocate import allocate
    from equipoise.cli.analyse import analyse
    from equipoise.cli.import_roster import roster
    from equipoise.cli.simulate import simulate

    name = study.name
    secret = folder / "secrets" / f"{name}.secret"
    drawn = _locked(study, secret)
    people, arms = folder / "people" / f"{name}.csv", study / "allocation" / "arms.csv"
    roster(sorted((study / "rosters").iterdir()), study, people, quiet=True)
    if drawn:
        allocate(study, people, arms, secret=secret, quiet=True)
    simulate(study, folder / "data" / name, SEED, roster=people, arms=arms if drawn else None, quiet=True)
    analyse(study, folder / "data" / name, folder / "findings" / name, quiet=True)


def _locked(folder: Path, secret: Path) -> bool:
    """Lock a study by the rehearsal's clock; whether it has an allocation to draw.

    The secret is fixed, so that the demonstration is the same for everybody; no real study's may be.
    """
    from equipoise import __version__
    from equipoise.allocation import commitment
    from equipoise.cli.writing import write_files, write_secret
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    study = load_study(folder)
    value = hashlib.sha256(f"equipoise demonstration {study.protocol.study.id}".encode()).digest()
    drawn = bool(study.protocol.allocation)
    registration = lock(
        study,
        time=_before_everything(study).isoformat(),
        seed_commitment=commitment(value) if drawn else None,
        version=__version__,
        clock="rehearsal",
    )
    write_files({folder / "lock.json": lock_text(registration)})
    if drawn:
        write_secret(secret, value)
    return drawn


def _before_everything(study: "Study") -> datetime:
    from equipoise.protocol.timeline import timeline

    times = timeline(study.protocol)
    moments = [*times.opens.values(), *([times.launch] if times.launch else [])]
    return min(moments, default=datetime(2021, 1, 4, 9, tzinfo=UTC)) - _LEAD
