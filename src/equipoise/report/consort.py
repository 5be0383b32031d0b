"""The CONSORT 2025 items (30 items, 42 with their parts): topics in our words, and where this report
answers each.

Hopewell et al. (2025), BMJ 388:e081123. An item is answered when its section is in the report and the study
states what the item asks for; otherwise the checklist says "not stated".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from equipoise.findings.results import Findings
from equipoise.protocol.study import Study
from equipoise.report.results import Results
from equipoise.report.tables import Cell, Column, Table

__all__ = ["ITEMS", "Item", "checklist"]

Stated = Callable[[Study, Findings | None], bool]


def _always(study: Study, findings: Findings | None) -> bool:
    return True


def _never(study: Study, findings: Findings | None) -> bool:
    return False


def _narrative(stem: str) -> Stated:
    return lambda study, findings: bool(study.narrative.get(stem, "").strip())


def _labelled(*labels: str) -> Stated:
    """Stated by the authors, in a paragraph of the methods that begins with one of these labels in bold."""
    return lambda study, findings: any(
        f"**{label}." in study.narrative.get("methods", "") for label in labels
    )


@dataclass(frozen=True)
class Item:
    """An item, its topic, the section that answers it, and whether the study states what it asks for."""

    number: str
    topic: str
    section: str
    stated: Stated = _always


ITEMS: tuple[Item, ...] = (
    Item(
        "1a",
        "Title says that the study is randomised",
        "top",
        lambda s, f: "randomi" in s.protocol.study.title.lower(),
    ),
    Item("1b", "Structured summary", "summary"),
    Item("2", "Registration", "about", lambda s, f: s.protocol.study.registration.id is not None),
    Item("3", "Where protocol and analysis plan are", "provenance", lambda s, f: s.registration is not None),
    Item("4", "Data, dictionary and code", "provenance", lambda s, f: f is not None),
    Item("5a", "Funding and its role", "about", lambda s, f: s.protocol.study.funding is not None),
    Item("5b", "Conflicts of interest", "about", lambda s, f: s.protocol.study.conflicts is not None),
    Item("6", "Background", "background", _narrative("background")),
    Item("7", "Objectives, benefit and harm", "summary", lambda s, f: bool(s.protocol.harms)),
    Item("8", "Involvement of those concerned", "methods", _labelled("Involvement")),
    Item("9", "Design, ratio, framework", "methods"),
    Item("10", "Changes after the start, with reasons", "deviations"),
    Item("11", "Setting", "participants", lambda s, f: bool(s.protocol.partners)),
    Item(
        "12a",
        "Who could take part",
        "participants",
        lambda s, f: bool(s.protocol.participants and s.protocol.participants.eligible),
    ),
    Item("12b", "Which sites and who delivered", "intervention", _narrative("intervention")),
    Item("13", "Intervention and comparator", "intervention", _narrative("intervention")),
    Item("14", "Outcomes: variable, metric, time", "methods", lambda s, f: bool(s.protocol.outcomes)),
    Item("15", "How harms were defined and looked for", "harms", lambda s, f: bool(s.protocol.harms)),
    Item("16a", "Sample size", "methods", lambda s, f: bool(s.protocol.diagnosis.assume.outcomes)),
    Item(
        "16b",
        "Interim looks and stopping",
        "methods",
        lambda s, f: bool(s.protocol.testing) or any(a.stops for a in s.amendments),
    ),
    Item("17a", "Who drew the lots and how", "chance", lambda s, f: bool(s.protocol.allocation)),
    Item("17b", "Type of draw, strata, blocks", "chance", lambda s, f: bool(s.protocol.allocation)),
    Item("18", "Concealment of the allocation", "chance", lambda s, f: bool(s.protocol.allocation)),
    Item("19", "Access of those who enrolled and assigned", "methods", _labelled("Access")),
    Item("20a", "Who was masked", "methods", _labelled("Blinding", "Masking")),
    Item("20b", "How masking was kept", "methods", _never),
    Item("21a", "Methods of comparing arms", "methods", lambda s, f: bool(s.protocol.analyses)),
    Item("21b", "Who is in each analysis", "outcomes", lambda s, f: f is not None),
    Item(
        "21c",
        "How missing data were handled",
        "missing",
        lambda s, f: bool(Results.of_study(s, f).bounds or Results.of_study(s, f).of("response")),
    ),
    Item(
        "21d",
        "Further analyses",
        "exploratory",
        lambda s, f: bool(Results.of_study(s, f).exploratory or Results.of_study(s, f).checking),
    ),
    Item(
        "22a",
        "Flow: randomised, treated, analysed, by arm",
        "flow",
        lambda s, f: bool(Results.of_study(s, f).of("flow")),
    ),
    Item("22b", "Losses and exclusions", "flow", lambda s, f: bool(Results.of_study(s, f).of("flow"))),
    Item(
        "23a",
        "Dates of recruitment and follow-up",
        "methods",
        lambda s, f: s.protocol.study.launch is not None,
    ),
    Item("23b", "Why the trial ended", "deviations", lambda s, f: any(a.stops for a in s.amendments)),
    Item(
        "24a",
        "Delivery and adherence",
        "flow",
        lambda s, f: any(one.id.startswith("flow.sent") for one in f or ()),
    ),
    Item("24b", "Other care received", "what-we-found", _never),
    Item(
        "25",
        "Baseline characteristics by arm",
        "baseline",
        lambda s, f: bool(Results.of_study(s, f).of("baseline")),
    ),
    Item(
        "26",
        "Numbers, results and intervals for each outcome",
        "outcomes",
        lambda s, f: bool(Results.of_study(s, f).main),
    ),
    Item("27", "Harms by arm", "harms", lambda s, f: bool(Results.of_study(s, f).of("harms"))),
    Item(
        "28",
        "Other analyses, planned or not",
        "exploratory",
        lambda s, f: bool(Results.of_study(s, f).exploratory or Results.of_study(s, f).checking),
    ),
    Item("29", "Interpretation", "what-we-found", _narrative("what-we-found")),
    Item("30", "Limitations", "summary"),
)


def checklist(study: Study, findings: Findings | None, present: Mapping[str, str]) -> Table:
    """Each item with the title of the section that answers it, or "not stated"."""
    rows = []
    for item in ITEMS:
        answered = item.section in present and item.stated(study, findings)
        where = Cell(present[item.section], finding=item.section) if answered else Cell("not stated")
        rows.append((Cell(item.number), Cell(item.topic), where))
    columns = (Column("Item"), Column("Topic"), Column("Where in this report"))
    return Table("consort", "CONSORT 2025 checklist", columns, tuple(rows))
