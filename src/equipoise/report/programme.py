"""The report of a programme: its studies in one shape, their numbers of people reconciled, their results on
one scale."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from equipoise.errors import InputError, Problem, ProtocolError, nearest
from equipoise.findings.results import Finding, Findings
from equipoise.findings.synthesis import StudyResult
from equipoise.protocol.models.files import Forest, Programme
from equipoise.report import checks, facts, summary, words
from equipoise.report.content import (
    Block,
    Document,
    Facts,
    Listing,
    Paragraph,
    Section,
    ShownFigure,
    ShownTable,
    Text,
)
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.forest import Trial, forest
from equipoise.report.narrative import Prose, recommendations, render
from equipoise.report.numbers import count
from equipoise.report.references import References, linked
from equipoise.report.source import StudyAndFindings, select, total_people
from equipoise.report.study import StudyReport
from equipoise.report.tables import Cell, Column, Table, slug

__all__ = ["programme_document"]


def programme_document(
    programme: Programme, narrative: Mapping[str, str], studies: Sequence[StudyAndFindings]
) -> Document:
    """The whole programme report, before it has a format."""
    head = programme.programme
    reports = [
        StudyReport(study, findings, f"{study.protocol.study.id}/provenance.html")
        for study, findings in studies
    ]
    total = sum(people[0] for one in studies if (people := total_people(*one)) is not None)
    return Document(
        title=head.title,
        kind="Programme report",
        question=head.question,
        byline=", ".join(head.authors),
        banners=_banners(programme, studies),
        answer=_answers(reports),
        sure=(
            f"{len(studies)} studies with {count(total)} people, {head.period}.",
            f"{_several(studies)} of the studies allocated people or tasks by lot; the others "
            "cannot show what a product causes.",
            _together(programme),
        ),
        actions=tuple(
            Markup('<a href="#{}">{}</a>').format(slug(one.title), one.title)
            for one in recommendations(
                Prose(narrative.get("recommendations", ""), "narrative/recommendations.md"),
                _references(reports),
                top=4,
            )
        ),
        sections=tuple(_sections(programme, narrative, studies, reports)),
    )


def _together(programme: Programme) -> str:
    """What is claimed of the studies together."""
    forest = programme.synthesis.forest
    if forest is None or not forest.pooled:
        return "Each study answers its own question: no common effect is claimed."
    return f"An average of the studies is of: {forest.estimand}"


def _sections(
    programme: Programme,
    narrative: Mapping[str, str],
    studies: Sequence[StudyAndFindings],
    reports: Sequence[StudyReport],
) -> list[Section]:
    told = {
        stem: _prose(stem, text, reports) for stem, text in narrative.items() if stem != "recommendations"
    }
    found = _forest(programme, reports)
    sections = [
        _own("background", "Background", told, []),
        _own("methods", "Participants and methods", told, [ShownTable(participants_table(studies))]),
        _own("what-we-found", "What we found", told, [ShownFigure(found)] if found else []),
        _recommended(programme, narrative.get("recommendations", ""), reports),
    ]
    sections += [_study(report) for report in reports]
    place = programme.programme.id
    problems = checks.check_programme(narrative, studies, place)
    clean = "The numbers of people in the text reconcile with the studies, and no two legends disagree."
    blocks: tuple[Block, ...] = (Listing(tuple(map(str, problems))),) if problems else (Paragraph(clean),)
    sections.append(Section("about", "About this programme", (_about(programme),)))
    sections.append(Section("checks", "Checks of this report", blocks))
    return sections


def participants_table(studies: Sequence[StudyAndFindings]) -> Table:
    """The people of each study and of the programme; the total is added up here, never typed."""
    rows = []
    totals: list[int] = []
    for study, findings in studies:
        people = total_people(study, findings)
        answered = _last_answered(findings, list(study.protocol.waves))
        totals += [people[0]] if people else []
        rows.append(
            (
                Cell(study.protocol.study.title),
                Cell(facts.kind_of(study)),
                Cell(people[1] if people else "not stated"),
                Cell(count(people[0]) if people else "–", people[0] if people else None),
                Cell(count(answered), answered),
            )
        )
    rows.append(
        (Cell("All studies"), Cell(""), Cell("added up"), Cell(count(sum(totals)), sum(totals)), Cell(""))
    )
    columns = (
        Column("Study"),
        Column("Kind"),
        Column("Counted as"),
        Column("People", True),
        Column("Answered the last survey", True),
    )
    note = ("A person who took part in several studies is counted in each.",)
    return Table("participants-table", "Participants by study", columns, tuple(rows), note)


def _last_answered(findings: Findings | None, waves: Sequence[str]) -> float | None:
    found = select(findings, f"flow.answered_{waves[-1]}") if waves else []
    whole = [one for one in found if one.arm is None]
    return sum(one.estimate or 0 for one in whole or found) if found else None


def _several(studies: Sequence[StudyAndFindings]) -> str:
    return f"{sum(bool(study.protocol.allocation or study.protocol.tasks) for study, _ in studies)}"


def _banners(programme: Programme, studies: Sequence[StudyAndFindings]) -> tuple[str, ...]:
    told = []
    if any(findings is not None and findings.data_source == "simulated" for _, findings in studies):
        told.append(
            "Simulated participants: no real person was asked, and results were computed from "
            "made-up answers."
        )
    if programme.programme.synthetic:
        told.append("A demonstration: organisations and people in this programme are invented.")
    unlocked = [
        s.protocol.study.id for s, findings in studies if findings is not None and findings.locked is None
    ]
    if unlocked:
        told.append(f"No locked protocol, so nothing counts as planned: {', '.join(unlocked)}.")
    return tuple(told)


def _answers(reports: Sequence[StudyReport]) -> tuple[Markup | str, ...]:
    told = []
    for one in reports:
        primary = next(iter(one.results.primary), None)
        if primary is not None:
            page = f"{one.protocol.study.id}/provenance.html"
            link = Markup('<a href="#study-{}">{}</a>').format(
                one.protocol.study.id, one.protocol.study.title
            )
            told.append(
                Markup("{}: {}").format(link, linked(primary.id, words.sentence(primary, one.names), page))
            )
    return tuple(told) or ("No result has been computed yet.",)


def _own(name: str, title: str, told: Mapping[str, Text], extra: Sequence[Block]) -> Section:
    text = told.get(name)
    blocks = [*([text] if text else []), *extra]
    return Section(name, title, tuple(blocks) or (Paragraph("Not stated."),))


def _prose(stem: str, text: str, reports: Sequence[StudyReport]) -> Text:
    return Text(render(Prose(text, f"narrative/{stem}.md"), _references(reports), top=3))


def _forest(programme: Programme, reports: Sequence[StudyReport]) -> Figure | None:
    plan = programme.synthesis.forest or Forest()
    trials = []
    for one in reports:
        study = one.protocol.study
        named = plan.results.get(study.id)
        found = one.results.primary[:1] if named is None else [_named(one, name, programme) for name in named]
        trials += [
            Trial(
                study.title if len(found) == 1 else f"{study.title}: {one.names.contrast(finding)}",
                StudyResult(study.id, finding),
                one.names,
                f"{study.id}/provenance.html",
            )
            for finding in found
            if finding is not None
        ]
    return forest(trials, plan)


def _named(report: StudyReport, reference: str, programme: Programme) -> Finding | None:
    """The finding that the programme names for its forest plot; None where the study has no findings yet."""
    if report.findings is None:
        return None
    try:
        return report.findings.find(reference)
    except InputError as error:
        place = f"{programme.programme.id}/programme.yaml"
        where = f"synthesis.forest.results.{report.protocol.study.id}"
        raise ProtocolError([Problem(place, where, one.message) for one in error.problems]) from error


def _study(report: StudyReport) -> Section:
    name = report.protocol.study.id
    prefix = f"{name}-"
    link = Markup('<a href="{}/index.html">The whole report of this study</a>').format(name)
    answers = summary.answer(report.study, report.findings, report.names, f"{name}/provenance.html")
    return Section(
        f"study-{name}",
        report.protocol.study.title,
        (Paragraph(report.protocol.study.question), Paragraph(link)),
        (
            report.prose_section("background", "Background", top=4, prefix=prefix),
            *report.information(top=4, prefix=prefix).parts,
            Section(f"{prefix}found", "What we found", (Listing(tuple(answers)),)),
            Section(f"{prefix}recommendations", "Recommendations", (), _advice(report, prefix)),
        ),
    )


def _advice(report: StudyReport, prefix: str) -> tuple[Section, ...]:
    given = report.recommendations(top=5)
    return tuple(Section(prefix + slug(one.title), one.title, (Text(one.html),)) for one in given)


def _recommended(programme: Programme, text: str, reports: Sequence[StudyReport]) -> Section:
    """The programme's own recommendations, each with the studies that support it."""
    titles = {one.protocol.study.id: one.protocol.study.title for one in reports}
    place = f"{programme.programme.id}/narrative/recommendations.md"
    parts = []
    for one in recommendations(Prose(text, place), _references(reports), top=4):
        for name in one.supports:
            if name not in titles:
                message = f'"{name}" is not a study of the programme. Studies: {nearest(name, list(titles))}'
                raise ProtocolError(Problem(f"{place}:{one.line}", "Supported by", message))
        links = (Markup('<a href="#study-{}">{}</a>').format(name, titles[name]) for name in one.supports)
        support: tuple[Block, ...] = (Paragraph("Supported by:"), Listing(tuple(links)))
        blocks = (
            support if one.supports else (Paragraph("No study is named in support of this.", aside=True),)
        )
        parts.append(Section(slug(one.title), one.title, (Text(one.html), *blocks)))
    return Section(
        "recommendations", "Recommendations", () if parts else (Paragraph("None were made."),), tuple(parts)
    )


def _references(reports: Sequence[StudyReport]) -> References:
    # A programme's own words refer to no single study's findings; its numbers are in the tables and figures.
    return References(reports[0].names, None)


def _about(programme: Programme) -> Facts:
    head = programme.programme
    return Facts(
        "About this programme",
        (
            ("Period", head.period),
            ("Authors", ", ".join(head.authors) or "not stated"),
            ("Funding", head.funding or "not stated"),
            ("Conflicts of interest", head.conflicts or "not stated"),
            ("Contact", head.contact or "not stated"),
        ),
    )
