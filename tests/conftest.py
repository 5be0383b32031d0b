"""What all tests share: the studies that reports are tried on, and the last lines about what was left out."""

import logging
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from tests.reading_once import read_once

from equipoise.findings.results import Findings
from equipoise.platform.workspace import create_workspace
from equipoise.protocol.models.files import Amendment, Codebook, LogicModel, Programme
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study

# `make test` draws the same cases every time; `make soak` gives a seed of its own for each round.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

_LEFT_OUT: list[str] = []

read_once()

# The platform's settings are those of a workspace, so each process of the tests has one: a rehearsal, with a clock.
_WORKSPACE = tempfile.TemporaryDirectory(prefix="equipoise-tests-")
os.environ["EQUIPOISE_WORKSPACE"] = f"{_WORKSPACE.name}/workspace"
os.environ["DJANGO_SETTINGS_MODULE"] = "equipoise.platform.settings"
create_workspace(Path(os.environ["EQUIPOISE_WORKSPACE"]), mode="rehearsal")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # of the mail servers of tests, which outlive them
if os.environ.get("EQUIPOISE_TEST_DATABASE") == "postgresql":
    _RUNTIME = Path(_WORKSPACE.name) / "runtime"  # of this mode, or the libraries under pgserver warn of it
    _RUNTIME.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(_RUNTIME))
    import pgserver

    logging.getLogger("pgserver").propagate = False  # it ends when the tests have closed the stream
    os.environ["DATABASE_URL"] = pgserver.get_server(f"{_WORKSPACE.name}/postgresql").get_uri()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A process that runs tests has a workspace of its own; with ours in its surroundings it would take that."""
    for name in ("EQUIPOISE_WORKSPACE", "DJANGO_SETTINGS_MODULE", "DATABASE_URL"):
        os.environ.pop(name, None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With NO_BROWSER=1 the browser tests are deselected; without it they fail where Chromium is missing."""
    if os.environ.get("NO_BROWSER") != "1":
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]
        _LEFT_OUT.append(f"NO_BROWSER=1: {len(browser)} browser tests were left out.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last what was left out. Workers of xdist deselect on their own, so the main process says it by
    itself."""
    left_out = _LEFT_OUT or (["NO_BROWSER=1: the browser tests were left out."] if _asked() else [])
    for line in left_out:
        terminalreporter.write_line(line, yellow=True)


def _asked() -> bool:
    return os.environ.get("NO_BROWSER") == "1"


ARMS = ("control", "video")
CONTRAST = "video - control"


def _effect(outcome: str, estimate: float, error: float, **given: object) -> dict[str, object]:
    half, sd = 1.96 * error, 4.0
    standardised = {
        "estimate": estimate / sd,
        "std_error": error / sd,
        "interval": {"level": 0.95, "low": (estimate - half) / sd, "high": (estimate + half) / sd},
        "sd": sd,
        "sd_source": "pooled over arms before allocation (4.0)",
    }
    return {
        "id": f"effect.{outcome}.after.{CONTRAST}",
        "analysis": "effect",
        "kind": "effect",
        "outcome": outcome,
        "at": "after",
        "contrast": CONTRAST,
        "role": "secondary",
        "tier": "secondary",
        "decision": "not-rejected",
        "confirmatory": True,
        "estimate": estimate,
        "std_error": error,
        "p_value": 0.31,
        "interval": {"level": 0.95, "low": estimate - half, "high": estimate + half},
        "standardised": standardised,
        "n": {"video": 210, "control": 218},
        "good": "high",
        "model": "linear on arm, strata and the score before; HC2, Satterthwaite degrees of freedom",
        **given,
    }


def _count(name: str, estimate: float, arm: str | None = None) -> dict[str, object]:
    suffix = f".{arm}" if arm else ""
    return {
        "id": f"flow.{name}{suffix}",
        "analysis": "flow",
        "kind": "count",
        "arm": arm,
        "estimate": estimate,
    }


def _flow() -> list[dict[str, object]]:
    numbers = {
        "eligible": None,
        "randomised": (985, 984),
        "sent": (0, 984),
        "answered_before": (340, 352),
        "answered_after": (218, 210),
        "analysed.wellbeing": (215, 208),
        "analysed.burnout": (214, 207),
    }
    rows = [_count("eligible", 1969)]
    for name, arms in numbers.items():
        if arms is not None:
            rows.append(_count(name, sum(arms)))
            rows.extend(_count(name, n, arm) for arm, n in zip(ARMS, arms, strict=True))
    return rows


def _mean(
    analysis: str, rest: str, estimate: float, half: float | None = None, **given: object
) -> dict[str, object]:
    interval = None if half is None else {"level": 0.95, "low": estimate - half, "high": estimate + half}
    return {
        "id": f"{analysis}.{rest}",
        "analysis": analysis,
        "kind": "mean",
        "estimate": estimate,
        "interval": interval,
        **given,
    }


def _described() -> list[dict[str, object]]:
    rows = []
    for arm, rate in zip(ARMS, (0.221, 0.213), strict=True):
        rows.append(
            _mean("response", f"after.{arm}", rate, 0.026, kind="rate", arm=arm, at="after", n={arm: 985})
        )
        rows.append(_mean("baseline", f"wellbeing_before.{arm}", 23.4, arm=arm, sd=3.9, n={arm: 340}))
        rows.append(_mean("baseline", f"authority=northmoor.{arm}", 0.17, kind="rate", arm=arm, n={arm: 985}))
        rows.append(
            _mean(
                "description",
                f"burnout.after.{arm}",
                46.0,
                2.4,
                arm=arm,
                at="after",
                outcome="burnout",
                sd=17.7,
                n={arm: 214},
            )
        )
        rows.append(
            {
                "id": f"harms.opted_out.{arm}",
                "analysis": "harms",
                "kind": "count",
                "arm": arm,
                "estimate": 3,
                "n_randomised": {arm: 985},
            }
        )
    standardised = {"estimate": 0.04, "sd": 3.9, "sd_source": "pooled"}
    rows.append(
        _mean(
            "baseline",
            f"wellbeing_before.{CONTRAST}",
            0.16,
            kind="effect",
            contrast=CONTRAST,
            standardised=standardised,
        )
    )
    rows.append(
        _mean("response", f"after.{CONTRAST}", -0.008, 0.036, kind="effect", contrast=CONTRAST, at="after")
    )
    rows.append(
        {
            "id": "reliability.wellbeing.after",
            "analysis": "reliability",
            "kind": "reliability",
            "model": "alpha",
            "outcome": "wellbeing",
            "at": "after",
            "estimate": 0.87,
            "interval": {"level": 0.95, "low": 0.85, "high": 0.89},
        }
    )
    return rows


def _by_week() -> list[dict[str, object]]:
    rows = []
    for week, (estimate, n) in enumerate(
        zip((0.9, 0.6, 0.3, 0.1, -0.1), (150, 110, 80, 50, 38), strict=True), start=1
    ):
        row = _effect(
            "wellbeing",
            estimate,
            4 / n**0.5 * 1.4,
            tier="exploratory",
            planned=False,
            confirmatory=False,
            decision="none",
            level=str(week),
            by="week since launch",
            analysis="fade",
            n={"video": n // 2, "control": n - n // 2},
        )
        rows.append(row | {"id": f"fade.wellbeing.after.{CONTRAST}.week={week}"})
    joint = {
        "id": f"fade.wellbeing.after.{CONTRAST}.joint",
        "analysis": "fade",
        "kind": "test",
        "outcome": "wellbeing",
        "tier": "exploratory",
        "planned": False,
        "estimate": None,
        "statistic": 1.2,
        "p_value": 0.31,
    }
    linear = _effect(
        "wellbeing", -0.2, 0.15, tier="exploratory", planned=False, decision="none", confirmatory=False
    )
    linear |= {"id": f"fade.wellbeing.after.{CONTRAST}.linear", "analysis": "fade", "standardised": None}
    return [*rows, joint, linear]


def _trial_findings() -> list[dict[str, object]]:
    primary = _effect(
        "wellbeing",
        0.35,
        0.34,
        role="primary",
        tier="primary",
        margin=0.78,
        estimand="the mean difference in wellbeing after, whatever happened after allocation",
    )
    bounds = {
        "id": f"effect.wellbeing.after.{CONTRAST}.bounds",
        "analysis": "effect",
        "kind": "bound",
        "outcome": "wellbeing",
        "estimate": None,
        "interval": {"level": None, "low": -21.6, "high": 22.3},
    }
    tipping = {
        "id": f"effect.wellbeing.after.{CONTRAST}.tipping-point.video",
        "analysis": "effect",
        "kind": "bound",
        "outcome": "wellbeing",
        "arm": "video",
        "estimate": 1.7,
    }
    check = _effect("wellbeing", 0.31, 0.36, tier="sensitivity", decision="none", confirmatory=False)
    check |= {"id": f"unadjusted.wellbeing.after.{CONTRAST}", "analysis": "unadjusted"}
    return [
        *_flow(),
        primary,
        bounds,
        tipping,
        _effect("burnout", -0.4, 1.5, margin=5, good="low"),
        check,
        *_described(),
        *_by_week(),
    ]


def findings_of(study: str, rows: list[dict[str, object]], **given: object) -> Findings:
    head = {
        "study": study,
        "protocol_hash": "ab" * 32,
        "locked": "2021-02-20T09:00:00+00:00",
        "data_hash": "cd" * 32,
        "data_source": "simulated",
        "code_version": "0.1.0",
        "analysis_seed": "ef" * 32,
    }
    return Findings.model_validate({**head, **given, "findings": rows})


TRIAL = {
    "equipoise": 1,
    "study": {
        "id": "awards",
        "kind": "trial",
        "synthetic": True,
        "launch": "2021-03-01 09:00",
        "title": "Symbolic awards: a randomised trial of thanks on video",
        "question": "Does a video of thanks from care leavers improve the wellbeing of social care staff?",
        "funding": "None; a demonstration.",
        "registration": {"registry": "OSF", "id": "x1y2z"},
    },
    "partners": {"northmoor": {"name": "Northmoor Council (synthetic)", "people": 1969}},
    "participants": {
        "roster": {
            "staff_ref": {"type": "text", "role": "identifier"},
            "authority": {"type": "category", "levels": ["northmoor"], "label": "Authority"},
        },
        "eligible": "authority != null",
        "consent": {"survey": "opt-in"},
    },
    "arms": {"control": {"label": "Usual communications"}, "video": {"label": "Video of thanks"}},
    "allocation": {"strata": ["authority"], "ratio": {"control": 1, "video": 1}, "method": "blocked"},
    "waves": {
        "before": {"survey": "wellbeing", "opens": "launch - 3 weeks", "closes": "launch", "label": "before"},
        "after": {
            "survey": "wellbeing",
            "opens": "launch + 1 day",
            "closes": "launch + 12 weeks",
            "label": "after",
        },
    },
    "outcomes": {
        "wellbeing": {
            "instrument": "swemwbs",
            "waves": ["after"],
            "role": "primary",
            "good": "high",
            "margin": 0.78,
            "label": "Wellbeing",
        },
        "burnout": {
            "instrument": "cbi",
            "score": "work",
            "waves": ["after"],
            "good": "low",
            "margin": 5,
            "label": "Work-related burnout",
        },
    },
    "harms": ["opted_out"],
    "analyses": {
        "effect": {
            "contrast": CONTRAST,
            "model": "linear",
            "variance": "HC2",
            "label": "Effect of the video",
        },
        "unadjusted": {"contrast": CONTRAST, "sensitivity-of": "effect", "label": "Without adjustment"},
    },
    "report": {"figures": {"burnout": {"outcome": "burnout", "by": "arm", "style": "bars"}}},
}

NARRATIVE = {
    "background": "# Background\n\nStaff seldom hear thanks.\n\n## Earlier work\n\nSee [a review](https://example.org/review).",
    "intervention": "A short video, sent once.",
    "methods": "Staff were allocated by lot.",
    "ethics": "Nobody had to take part.",
    "what-we-found": "# What we found\n\nThe difference was {{ effect.wellbeing }}, of "
    "{{ flow.randomised }} randomised.\n\n"
    "{{ effect.wellbeing.sentence }}\n\n## Process\n\nTeams saw it differently.",
    "recommendations": "# Recommendations\n\n## Tell staff when they are thanked\n\nIt costs little.\n\n"
    "Supported by: effect.wellbeing, theme.recognition\n",
}


@pytest.fixture
def trial() -> tuple[Study, Findings]:
    """A trial with two arms, whole in every part of its report."""
    amendment = {
        "date": "2021-05-20",
        "by": "The lead",
        "reason": "Response had ended",
        "data_seen": "counts only",
        "stops": True,
    }
    logic = {
        "inputs": {"stories": "Care leavers' stories"},
        "activities": {"video": "A video is sent"},
        "outputs": {"seen": "Staff watch it"},
        "outcomes": {"wellbeing": "Wellbeing rises"},
        "assumptions": {"heard": "Staff recognise themselves"},
        "links": [
            {"from": "stories", "to": "video"},
            {"from": "video", "to": "seen"},
            {"from": "seen", "to": "wellbeing", "evidence": ["effect.wellbeing"]},
        ],
    }
    codebook = {
        "codes": {"recognition": {"label": "Being recognised", "definition": "Says who gives thanks."}}
    }
    study = Study(
        folder=Path("awards"),
        protocol=Protocol.model_validate(TRIAL),
        narrative=NARRATIVE,
        amendments=(Amendment.model_validate(amendment),),
        logic_model=LogicModel.model_validate(logic),
        codebook=Codebook.model_validate(codebook),
    )
    return study, findings_of("awards", _trial_findings())


@pytest.fixture
def experiment() -> tuple[Study, Findings]:
    """A survey experiment on ratings: rates by the way of showing and by the name shown."""
    levels = ("white_british", "black_african", "south_asian", "middle_eastern")
    rows: list[dict[str, object]] = [_count("enrolled", 303), _count("analysed.progress", 303)]
    for condition, shift in (("joint", 0.1), ("separate", 0.0)):
        for at, ethnicity in enumerate(levels):
            rows.append(
                _mean(
                    "description",
                    f"progress.condition={condition}.ethnicity={ethnicity}",
                    0.56 - 0.06 * (at > 0) + shift,
                    0.05,
                    kind="rate",
                    outcome="progress",
                    n={"ratings": 300},
                )
            )
    contrast = "(ethnicity.black_african - ethnicity.white_british within condition.joint)"
    rows.append(
        {
            "id": f"gap.progress.{contrast}",
            "analysis": "gap",
            "kind": "effect",
            "outcome": "progress",
            "tier": "primary",
            "role": "primary",
            "contrast": contrast,
            "estimate": 0.17,
            "std_error": 0.03,
            "decision": "rejected",
            "margin": 0.05,
            "p_value": 0.0000001,
            "interval": {"level": 0.95, "low": 0.11, "high": 0.23},
            "good": "neither",
        }
    )
    protocol = {
        "equipoise": 1,
        "study": {
            "id": "hiring",
            "kind": "survey-experiment",
            "title": "Diversity in hiring",
            "synthetic": True,
            "question": "Do candidates progress more often when CVs are judged side by side?",
        },
        "outcomes": {
            "progress": {
                "task": "cvs",
                "question": "progress",
                "role": "primary",
                "scale": "yes-no",
                "label": "Candidate progressed",
                "good": "neither",
                "margin": 0.05,
            }
        },
        "tasks": {
            "cvs": {"vignette": "vignettes/cv.yaml", "present": {"joint": 1, "separate": 1}, "per-person": 8}
        },
        "analyses": {"gap": {"contrast": contrast, "label": "How much the gap closes side by side"}},
    }
    study = Study(
        folder=Path("hiring"), protocol=Protocol.model_validate(protocol), narrative={"background": "Names."}
    )
    return study, findings_of("hiring", rows)


@pytest.fixture
def pilot() -> tuple[Study, Findings]:
    """A pilot without arms, judged by criteria fixed in advance."""
    protocol = {
        "equipoise": 1,
        "study": {
            "id": "dictation",
            "kind": "pilot",
            "title": "Pilot of a dictation app",
            "question": "Is a dictation app taken up enough for a trial?",
        },
        "partners": {
            "one": {"name": "Brackenford (synthetic)", "people": 20},
            "two": {"name": "Eastmere (synthetic)", "people": 32},
        },
        "waves": {"after": {"survey": "after", "opens": "launch + 4 weeks", "closes": "launch + 6 weeks"}},
        "outcomes": {"usability": {"instrument": "sus", "waves": ["after"], "label": "Usability"}},
        "progression": {
            "adoption": {
                "label": "Licences used in three weeks",
                "measure": {"share": "weeks >= 3"},
                "green": ">= 0.5",
                "amber": ">= 0.25",
            }
        },
    }
    rows: list[dict[str, object]] = [
        _count("enrolled", 52),
        _count("answered_after", 31),
        _mean("progression", "adoption", 0.35, 0.17, kind="progression", n={"all": 20}),
        _mean(
            "description",
            "usability.after",
            64.0,
            5.0,
            outcome="usability",
            at="after",
            sd=14.0,
            n={"all": 31},
        ),
    ]
    study = Study(folder=Path("dictation"), protocol=Protocol.model_validate(protocol), narrative={})
    return study, findings_of("dictation", rows)


@pytest.fixture
def interviews() -> tuple[Study, None]:
    """An interview study whose material is analysed later."""
    protocol = {
        "equipoise": 1,
        "study": {
            "id": "flexitime",
            "kind": "interviews",
            "title": "Flexible working",
            "question": "How do staff and managers live with flexitime?",
        },
        "interviews": {"staff": {"people": 11, "guide": "interviews/guide.md"}},
    }
    codebook = {"codes": {"boundaries": {"label": "Boundaries", "definition": "Where work ends."}}}
    study = Study(
        folder=Path("flexitime"),
        protocol=Protocol.model_validate(protocol),
        codebook=Codebook.model_validate(codebook),
    )
    return study, None


@pytest.fixture
def programme() -> Programme:
    """The programme of those studies."""
    head = {
        "id": "well",
        "title": "Well at work",
        "question": "What helps staff to stay well?",
        "period": "2020 to 2021",
        "synthetic": True,
    }
    return Programme.model_validate({"equipoise": 1, "programme": head, "studies": ["awards", "hiring"]})
