"""What a report's own words may get wrong: typed-in numbers, totals, star legends, dead links, unsupported
advice.

Allowed without a reference: years, numbers in code and addresses, and numbers that name something ("Study 1",
"section 4"). Everything else that is written in digits in the results or recommendations is flagged.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from equipoise.allocation import AllocationRecord
from equipoise.errors import Problem
from equipoise.findings.results import Findings
from equipoise.protocol.study import Study
from equipoise.report.narrative import Prose, parse, spoken_lines
from equipoise.report.source import StudyAndFindings, place_of, select, total_people

__all__ = ["check_programme", "check_study", "dead_links", "draws", "star_legends", "typed_in", "unsupported"]

_RESULTS = ("what-we-found", "recommendations")
_NUMBER = re.compile(r"(?<![\w.])[\u2212-]?\d[\d,]*(?:\.\d+)?\s?(?:%|per cent\b)?")
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_NAMES = re.compile(
    r"\b(?:studies|study|trial|pilot|experiment|section|figure|table|item|phase|part|chapter|version|stage|rct|"
    r"appendix|wcag|page)\s+$",
    re.IGNORECASE,
)
_STARS = re.compile(
    r"(\*{1,3})\s*(?:means|indicates|=|:)?\s*(?:that\s+)?\(?p\s*[<\u2264]\s*(0?\.\d+|\d+\s?%)", re.IGNORECASE
)
_PEOPLE = r"people|participants|staff|students|trainees|workers|professionals|employees|respondents"
_CLAIM = re.compile(rf"(?<!\w)(?<!\d,)(\d++(?:,\d++)*+)\b(?=(?:[^.\d]*?)\b(?:{_PEOPLE})\b)", re.IGNORECASE)


def check_study(study: Study, findings: Findings | None) -> tuple[Problem, ...]:
    """Every problem of a study's narrative and totals, by file and line."""
    problems: list[Problem] = []
    for stem, text in study.narrative.items():
        prose = Prose(text, place_of(study, stem))
        if stem in _RESULTS:
            problems += typed_in(prose)
        problems += dead_links(prose)
    problems += star_legends([Prose(text, place_of(study, stem)) for stem, text in study.narrative.items()])
    problems += unsupported(
        Prose(study.narrative.get("recommendations", ""), place_of(study, "recommendations"))
    )
    problems += _totals(findings)
    return tuple(problems)


def draws(
    study: Study, findings: Findings | None, records: Sequence[AllocationRecord]
) -> tuple[Problem, ...]:
    """Where the record of a draw and the findings speak of different studies or different people."""
    problems = []
    for record in records:
        place = f"{study.folder.name}: the draw of {record.stage}"
        if findings is None:
            continue
        if record.stage not in study.protocol.allocation:
            problems.append(Problem(place, "", "is of a stage that the protocol does not have"))
        elif record.protocol_hash is None and findings.locked is not None:
            problems.append(Problem(place, "", "was made before the protocol was locked"))
        elif record.protocol_hash not in (None, findings.protocol_hash):
            problems.append(Problem(place, "", "was made under another protocol than the one analysed"))
        if record.unit != "participant" or record.stage != study.protocol.main_stage:
            continue
        drawn: dict[str, int] = {}
        for by_arm in record.counts.values():
            for arm, count in by_arm.items():
                drawn[arm] = drawn.get(arm, 0) + count
        for arm, count in drawn.items():
            for found in select(findings, f"flow.randomised.{arm}"):
                if found.estimate != count:
                    message = f"{count:,} were drawn to {arm}, and {found.estimate:,.0f} are in the data"
                    problems.append(Problem(place, "", message))
    return tuple(problems)


def check_programme(
    narrative: Mapping[str, str], studies: Sequence[StudyAndFindings], place: str
) -> tuple[Problem, ...]:
    """Headline claims against the sum of the studies; legends that differ between any two narratives; dead
    links."""
    own = [Prose(text, f"{place}/narrative/{stem}.md") for stem, text in narrative.items()]
    problems = [problem for prose in own for problem in (*dead_links(prose), *_claims(prose, studies))]
    every = own + [Prose(text, place_of(s, stem)) for s, _ in studies for stem, text in s.narrative.items()]
    return (*problems, *star_legends(every))


def typed_in(prose: Prose) -> list[Problem]:
    """Numbers written in digits where a reference to a finding belongs."""
    problems = []
    for line, words in spoken_lines(prose.text):
        if words.lower().startswith("supported by"):
            continue
        for match in _NUMBER.finditer(words):
            found = match[0].strip()
            if _YEAR.match(found) or _NAMES.search(words[: match.start()]):
                continue
            message = (
                f'"{found}" is typed in. Draw it from a finding, as in {{{{ effect.wellbeing }}}}, or '
                "write it in words"
            )
            problems.append(Problem(f"{prose.place}:{line}", "", message))
    return problems


def dead_links(prose: Prose) -> list[Problem]:
    """Links that lead nowhere, such as `[here](#)`."""
    problems = []
    for token in parse(prose.text):
        for child in token.children or ():
            address = str(child.attrs.get("href", "")) if child.type == "link_open" else None
            if address is not None and address.strip() in ("", "#"):
                line = (token.map or [0])[0] + 1
                problems.append(
                    Problem(
                        f"{prose.place}:{line}", "", "this link leads nowhere; give its address or drop it"
                    )
                )
    return problems


def star_legends(narratives: Iterable[Prose]) -> list[Problem]:
    """Legends that give the same stars two meanings. Our own figures have no stars at all."""
    problems: list[Problem] = []
    meanings: dict[str, tuple[float, str]] = {}
    for prose in narratives:
        for line, text in enumerate(prose.text.splitlines(), start=1):
            for stars, level in _STARS.findall(text.replace("\\*", "*")):
                value, place = _level(level), f"{prose.place}:{line}"
                first = meanings.setdefault(stars, (value, place))
                if first[0] != value:
                    message = (
                        f"{stars} means p < {value:g} here and p < {first[0]:g} at {first[1]}; "
                        "print intervals instead"
                    )
                    problems.append(Problem(place, "", message))
    return problems


def unsupported(prose: Prose) -> list[Problem]:
    """Recommendations that name no finding and no theme."""
    problems = []
    title, at, supported = "", 0, True
    for line, text in enumerate([*prose.text.splitlines(), "## "], start=1):
        if text.startswith("## "):
            if not supported:
                message = (
                    f'"{title}" names nothing in support. End it with a line "Supported by: FINDING, '
                    'theme.CODE"'
                )
                problems.append(Problem(f"{prose.place}:{at}", "", message))
            title, at, supported = text[3:].strip(), line, False
        elif re.match(r"\s*\**supported by:?\**:?\s*\S", text, re.IGNORECASE):
            supported = True
    return problems


def _reconciles(number: int, totals: Mapping[str, int]) -> bool:
    return number == sum(totals.values()) or number in totals.values()


def _claims(prose: Prose, studies: Sequence[StudyAndFindings]) -> list[Problem]:
    found = {study.protocol.study.id: total_people(study, findings) for study, findings in studies}
    totals = {name: total[0] for name, total in found.items() if total is not None}
    problems = []
    for line, words in spoken_lines(prose.text):
        for match in _CLAIM.finditer(words):
            claimed = int(match[1].replace(",", "") or 0)
            if claimed < 10 or _YEAR.match(match[1]) or _reconciles(claimed, totals):
                continue
            listed = " + ".join(f"{name} {total:,}" for name, total in totals.items())
            message = (
                f"{match[1]} people does not reconcile with the studies: {listed} = {sum(totals.values()):,}"
            )
            problems.append(Problem(f"{prose.place}:{line}", "", message))
    return problems


def _totals(findings: Findings | None) -> list[Problem]:
    problems = []
    for whole in select(findings, "flow"):
        parts = [one for one in select(findings, whole.id) if one.arm is not None and one.id != whole.id]
        if whole.arm is not None or whole.kind != "count" or not parts:
            continue
        added = sum(one.estimate or 0 for one in parts if one.id.count(".") == whole.id.count(".") + 1)
        if whole.estimate is not None and round(added) != round(whole.estimate):
            message = f"the arms add up to {added:,.0f}, the total says {whole.estimate:,.0f}"
            problems.append(Problem("findings.json", whole.id, message))
    return problems


def _level(text: str) -> float:
    return float(text.strip("% ")) / 100 if "%" in text else float(text)
