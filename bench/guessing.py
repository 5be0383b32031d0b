"""Whether the time of an answer tells a guesser anything: stated, that it does not.

Ways to be wrong are tried equally often and in mixed order, so that what the machine does besides falls on
all alike. For each pair: how often the one took longer than the other; 50 in 100 is a coin.
"""

import logging
import random
import shutil
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import combinations, cycle
from pathlib import Path
from typing import Any

from equipoise.allocation import commitment
from equipoise.platform.workspace import activate, create_workspace

_EXAMPLE = Path(__file__).parent.parent / "examples" / "hhp2" / "swing"
_HEADER = "Trainee ID,Email,Mobile,Region,Start date\n"
_PERSON = "T20-0001,person.1@trainees.example.org,07700 900001,north,2020-07-13\n"
_TRIES, _ASKED = 3_400, 1_000  # of each way; all wrong links together are more than 10,000
_FIRST = 20
_ADDRESSES: Mapping[str, Callable[[], str]] = {
    "takes part": lambda: "person.1@trainees.example.org",
    "does not": lambda: "person.2@trainees.example.org",
}


def main() -> None:
    """Print a line for each pair."""
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        activate(create_workspace(Path(folder) / "workspace", mode="rehearsal"))
        logging.disable()
        real = _real_token(Path(folder))
        _print("wrong links", _timed(_TRIES, _wrong_links(real), _open), "45 to 55")
        _print("links asked for again", _timed(_ASKED, _ADDRESSES, _ask), "40 to 60")


def _real_token(folder: Path) -> str:
    """A link's token in a workspace with one study and one person."""
    from django.conf import settings

    from equipoise.platform.clock import set_clock
    from equipoise.platform.fieldwork.links import make_links
    from equipoise.platform.people.actions import confirm_import
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.serving import make_ready
    from equipoise.platform.staff.actions import CommandLine

    make_ready(settings.WORKSPACE)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    who, roster = CommandLine(), folder / "cohort-2020.csv"
    study = move_study(who, add_study(who, _locked(folder / "swing")), "live")
    roster.write_text(_HEADER + _PERSON, "utf-8")
    confirm_import(who, study, roster)
    return make_links(who, study, "before")[0].link.rpartition("/")[2]


def _locked(place: Path) -> Path:
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    shutil.copytree(_EXAMPLE, place, ignore=shutil.ignore_patterns("amendments", "lock.json"))
    told = {"time": "2021-01-04T09:00:00Z", "version": "bench", "clock": "rehearsal"}
    text = lock_text(lock(load_study(place), seed_commitment=commitment(bytes(32)), **told))
    (place / "lock.json").write_text(text, "utf-8")
    return place


def _wrong_links(real: str) -> dict[str, Callable[[], str]]:
    from equipoise.platform.crypto import token

    letters = cycle(letter for letter in "abcdefghijklmnopqrstuvwxyz234567" if letter != real[-1])
    return {
        "never was": lambda: f"/s/{token()}",
        "one letter off": lambda: f"/s/{real[:-1]}{next(letters)}",
        "of no form": lambda: "/s/" + "x" * len(real),
    }


def _open(client: Any, path: str) -> None:
    _expect(client.get(path, secure=True), 404)


def _ask(client: Any, address: str) -> None:
    _expect(client.post("/link/swing", {"email": address}, secure=True), 200)


def _expect(page: Any, status: int) -> None:
    if page.status_code != status:
        raise RuntimeError(f"found {page.status_code}, expected {status}: another page was timed")


def _timed(
    tries: int, ways: Mapping[str, Callable[[], str]], act: Callable[[Any, str], None]
) -> dict[str, list[float]]:
    """How long each took, without what is needed to make it up; the first of all are not counted."""
    from django.test import Client

    from equipoise.platform.fieldwork.models import LinkRequest
    from equipoise.platform.fieldwork.throttle import refused_tokens, wanted_links

    took: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways) * tries
    random.Random(1).shuffle(order)
    for place, name in enumerate([*list(ways) * _FIRST, *order]):
        refused_tokens.forget()
        wanted_links.forget()
        LinkRequest.objects.all().delete()  # as if nobody had asked before
        client, made_up = Client(HTTP_HOST="localhost"), ways[name]()
        started = time.perf_counter()
        act(client, made_up)
        if place >= len(ways) * _FIRST:
            took[name].append(time.perf_counter() - started)
    return took


def _print(what: str, took: dict[str, list[float]], stated: str) -> None:
    for one, other in combinations(took, 2):
        share = 100 * _longer(took[one], sorted(took[other]))
        print(f"{what}: {one} longer than {other}: {share:.1f} in 100 (stated: {stated})")


def _longer(these: list[float], those: list[float]) -> float:
    """How often one of these is longer than one of those; alike counts as half."""
    found = sum(bisect_left(those, each) + bisect_right(those, each) for each in these)
    return found / (2 * len(these) * len(those))


if __name__ == "__main__":
    main()
