"""A rehearsal whose checks are tried on it: judged as it was, and again with its evidence spoilt.

python rehearsed.py FILE ARGUMENTS...    `equipoise rehearse ARGUMENTS`; FILE gets what the spoilt checks found,
                                         and beside it `workspace` is a copy of the trial in its middle
"""

import json
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

from equipoise.cli import main

FOUND = {}


def keep(name, checks):
    """Keep the faults that checks found in what was spoilt."""
    FOUND[name] = {check.name: list(check.faults) for check in checks if check.faults}


def spoil_messages(module):
    """Judge the messages as they are, and with one twice, one lost, one misdirected and one too late."""
    checks = module.message_checks

    def judged(production, messages, refusals):
        texts = [each for each in messages if each.channel == "sms"]
        mails = [each for each in messages if each.channel == "email"]
        keep("twice", checks(production, [*messages, texts[0]], refusals))
        keep("lost", checks(production, [each for each in messages if each is not texts[0]], refusals))
        other = next(each for each in texts if each.to != texts[0].to)
        keep("misdirected", checks(production, [replace(texts[0], to=other.to)], refusals))
        late = replace(texts[0], at=texts[0].at + timedelta(days=30))
        keep("late", checks(production, [late], refusals))
        night = replace(mails[0], at=mails[0].at.replace(hour=23))
        keep("night", checks(production, [night], refusals))
        keep("words", checks(production, [replace(mails[0], text="Something else")], refusals))
        keep("refused", checks(production, messages, [*refusals, *refusals]))
        keep("left", checks(production, [replace(each, number=10**9) for each in messages], refusals))
        arms, production.frame = (
            production.frame,
            production.frame.with_columns(arm=swapped(production.frame)),
        )
        keep("arm", checks(production, messages, refusals))
        production.frame = arms
        return checks(production, messages, refusals)

    module.message_checks = judged


def swapped(frame):
    """The arms the other way round."""
    return frame["arm"].replace({"control": "messages", "messages": "control"})


def spoil_answers(module):
    """Judge the answers as they are, and with one changed, and with those of one person lost."""
    check = module.answer_check

    def judged(production, export):
        (where, answered), *_ = production.answered.items()
        column = next(iter(answered.answers))
        kept, answered.answers[column] = answered.answers[column], "97"
        keep("changed", [check(production, export)])
        answered.answers[column] = kept
        del production.answered[where]
        keep("invented", [check(production, export)])
        production.answered[where] = answered
        empty = export.parent / "empty"
        shutil.copytree(export, empty, ignore=shutil.ignore_patterns("answers_*"))
        keep("missing", [check(production, empty)])
        return check(production, export)

    module.answer_check = judged


def spoil_films(module):
    """Judge what was played as it is, and with a film more, or one less, of somebody who played some."""
    check = module.film_checks

    def judged(production, messages, export):
        person = next(each for each, played in production.played.items() if played)
        for name, more in (("overplayed", 0.5), ("unplayed", -0.05)):
            production.played[person] += more
            keep(name, list(check(production, messages, export)))
            production.played[person] -= more
        return check(production, messages, export)

    module.film_checks = judged


def spoil_effects(module):
    """Judge the effects as they are, and with another one planted."""
    check = module.effect_check

    def judged(study, found, planted):
        other = {name: dict.fromkeys(arms, 100.0) for name, arms in planted.items()}
        keep("planted", [check(study, found, other)])
        return check(study, found, planted)

    module.effect_check = judged


if __name__ == "__main__":
    file, *arguments = sys.argv[1:]
    rehearsing = import_module("equipoise.platform.rehearsal.rehearsing")
    activate = rehearsing.activate

    def spoilt(workspace):
        activate(workspace)
        for name, spoil in (
            ("messages", spoil_messages), ("answers", spoil_answers), ("effects", spoil_effects),
            ("dose", spoil_films),
        ):  # fmt: skip
            spoil(import_module(f"equipoise.platform.rehearsal.verdict.{name}"))

    living = import_module("equipoise.platform.rehearsal.living")
    middle = living.Living(Path(file).with_name("workspace"), datetime(2021, 3, 10, 12, tzinfo=UTC))
    rehearsing.rehearse_all = partial(rehearsing.rehearse_all, living=middle)
    rehearsing.activate = spoilt
    try:
        code = main(["rehearse", *arguments])
    except SystemExit as ended:
        code = ended.code
    Path(file).write_text(json.dumps(FOUND), "utf-8")
    sys.exit(code)
