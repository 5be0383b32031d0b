"""The report of one study: its sections in the order in which they are read."""

from collections.abc import Sequence

from markupsafe import Markup

from equipoise.allocation import AllocationRecord
from equipoise.diagnosis.diagnosed import Diagnosed
from equipoise.errors import InputError, Problem, ProtocolError, nearest
from equipoise.findings.results import Findings
from equipoise.protocol.models.files import Code
from equipoise.protocol.study import Study
from equipoise.report import (
    checks,
    claims,
    consort,
    detail,
    detectable,
    facts,
    in_people,
    looks,
    missing,
    progression,
    summary,
    words,
)
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
from equipoise.report.design import design_section
from equipoise.report.estimand import estimands
from equipoise.report.figures import study_figures
from equipoise.report.figures.flow import flow
from equipoise.report.figures.logic import logic
from equipoise.report.names import Names
from equipoise.report.narrative import Prose, Recommendation, recommendations, render
from equipoise.report.references import References, linked
from equipoise.report.results import Results
from equipoise.report.source import place_of
from equipoise.report.tables import PROVENANCE, Table, slug

__all__ = ["StudyReport"]


class StudyReport:
    """Makes the sections of a study's report; the programme's report uses some of them."""

    def __init__(
        self,
        study: Study,
        findings: Findings | None,
        page: str = PROVENANCE,
        draws: Sequence[AllocationRecord] = (),
        diagnosis: Diagnosed | None = None,
    ) -> None:
        self.study, self.findings, self.draws, self.diagnosis = study, findings, draws, diagnosis
        self.protocol = study.protocol
        self.names = Names(study.protocol, study.explore)
        self.results = Results.of_study(study, findings)
        self.references = References(self.names, findings, page)
        self.is_trial = self.protocol.study.kind in ("trial", "survey-experiment")

    def document(self) -> Document:
        """The whole report, before it has a format."""
        advice = self.recommendations(top=4)
        sections = [
            self.prose_section("background", "Background"),
            self.information(),
            self.found(),
            self._recommended(advice),
        ]
        sections.append(self._detail(sections))
        head = self.protocol.study
        return Document(
            title=head.title,
            kind=facts.kind_of(self.study),
            question=head.question,
            byline=", ".join(head.authors),
            banners=summary.banners(self.study, self.findings),
            answer=summary.answer(self.study, self.findings, self.names),
            sure=summary.sure(self.study, self.findings, self.names),
            actions=tuple(
                Markup('<a href="#{}">{}</a>').format(slug(one.title), one.title) for one in advice
            ),
            sections=tuple(sections),
            language=head.language,
        )

    def prose(self, stem: str, *, top: int) -> Text | None:
        """A narrative file as a block, or None where it is missing or empty."""
        text = self.study.narrative.get(stem, "")
        if not text.strip():
            return None
        return Text(render(Prose(text, place_of(self.study, stem)), self.references, top=top))

    def prose_section(self, stem: str, title: str, *, top: int = 3, prefix: str = "") -> Section:
        """A section of one narrative file; what is missing is said."""
        block = self.prose(stem, top=top)
        return Section(prefix + stem, title, (block or Paragraph("Not stated."),))

    def information(self, *, top: int = 4, prefix: str = "") -> Section:
        """Intervention, participants, method and design."""
        title = "Trial information" if self.is_trial else "Study information"
        parts = [
            self.prose_section("intervention", "Intervention", top=top, prefix=prefix),
            self._participants(prefix),
            self._methods(top, prefix),
        ]
        return Section(prefix + "information", title, (), tuple(parts))

    def found(self) -> Section:
        """The main figures, then the narrative; for pilots the criteria first."""
        blocks: list[Block] = []
        if self.protocol.progression:
            judged = progression.verdicts(self.study, self.findings, self.names)
            blocks.append(ShownTable(progression.table(judged, self.names)))
        blocks.extend(
            ShownFigure(one) for one in study_figures(self.study, self.findings, self.names, main=True)
        )
        narrative = self.prose("what-we-found", top=3)
        if self.is_trial and narrative is None:
            told = [linked(one.id, words.sentence(one, self.names)) for one in self.results.main]
            blocks.append(Listing(tuple(told)) if told else Paragraph("No result has been computed yet."))
        if narrative is not None:
            blocks.append(narrative)
        blocks.extend(self._themes())
        return Section("what-we-found", "What we found", tuple(blocks))

    def recommendations(self, *, top: int) -> tuple[Recommendation, ...]:
        """The recommendations of the narrative."""
        text = self.study.narrative.get("recommendations", "")
        return recommendations(Prose(text, place_of(self.study, "recommendations")), self.references, top=top)

    def support(self, reference: str, line: int) -> Markup:
        """What supports a recommendation, as a link to the finding or theme.

        Raises:
            ProtocolError: there is no such finding or theme.
        """
        place = f"{place_of(self.study, 'recommendations')}:{line}"
        if reference.startswith("theme."):
            themes = dict(_codes(self.study.codebook.codes)) if self.study.codebook else {}
            name = reference.removeprefix("theme.")
            if name not in themes:
                message = (
                    f'"{reference}" is not a theme of the codebook. Themes: {nearest(name, list(themes))}'
                )
                raise ProtocolError(Problem(place, "Supported by", message))
            return Markup('<a href="#theme-{}">Theme: {}</a>').format(name, themes[name].label)
        try:
            finding = self.references.find(reference)
        except InputError as error:
            if self.findings is None:
                return Markup("{} (not yet analysed)").format(reference)
            raise ProtocolError(
                [Problem(place, "Supported by", one.message) for one in error.problems]
            ) from error
        return linked(finding.id, words.sentence(finding, self.names))

    def _recommended(self, advice: Sequence[Recommendation]) -> Section:
        parts = []
        for one in advice:
            told = tuple(self.support(reference, one.line) for reference in one.supports)
            supported: tuple[Block, ...] = (
                (Paragraph("Supported by:"), Listing(told))
                if told
                else (Paragraph("No finding or theme is named in support of this.", aside=True),)
            )
            parts.append(Section(slug(one.title), one.title, (Text(one.html), *supported)))
        blocks = () if parts else (self.prose("recommendations", top=3) or Paragraph("None were made."),)
        return Section("recommendations", "Recommendations", blocks, tuple(parts))

    def _participants(self, prefix: str) -> Section:
        told = facts.participants(self.study, self.names)
        return Section(
            prefix + "participants", "Participants", (told,) if told else (Paragraph("Not stated."),)
        )

    def _methods(self, top: int, prefix: str) -> Section:
        blocks: list[Block] = []
        planned_claims = claims.order(self.protocol, self.names) if self.is_trial else None
        for block in (self.prose("methods", top=top), facts.design(self.study, self.names), planned_claims):
            if block is not None:
                blocks.append(block)
        planned = facts.outcomes(self.study, self.names) if not prefix else None
        if planned is not None:
            blocks.append(ShownTable(planned))
        if self.study.logic_model is not None and not prefix:
            blocks.append(ShownFigure(logic(self.study.logic_model, self.references)))
        return Section(prefix + "methods", "Method and design", tuple(blocks) or (Paragraph("Not stated."),))

    def _themes(self) -> list[Block]:
        if self.study.codebook is None:
            return []
        rows = tuple(
            (
                code.label,
                Markup('<span id="theme-{}">{}</span>').format(name, code.definition or "No definition."),
            )
            for name, code in _codes(self.study.codebook.codes)
        )
        note = "The themes that the analysis of the interviews looks for. The material is analysed later."
        return [Paragraph(note), Facts("Themes of the codebook", rows)]

    def _detail(self, before: Sequence[Section]) -> Section:
        primary = next(iter(self.results.primary), None)
        diagram = flow(self.findings, self.names, primary.outcome if primary else None)
        parts = [
            _part(
                "flow",
                "Flow of participants",
                [
                    *([ShownFigure(diagram)] if diagram else []),
                    *_shown(detail.exclusions(self.results, self.names)),
                ],
            ),
            _part("baseline", "Baseline", _shown(detail.baseline(self.results, self.names))),
            self._outcomes(),
            self._missing(),
            self._sensitivity(),
            self._harms(),
            self._deviations(),
            self._exploratory(),
            _part(
                "reliability",
                "Reliability of the scores",
                _shown(detail.reliability(self.results, self.names)),
            ),
            _part(
                "chance",
                "How lots were drawn",
                [Listing(told)] if (told := facts.allocation(self.study, self.names, self.draws)) else [],
            ),
            design_section(self.study, self.diagnosis) if self.diagnosis is not None else None,
            _part("ethics", "Ethics and data protection", [b for b in (self.prose("ethics", top=4),) if b]),
            Section("about", "About this study", (facts.study(self.study),)),
            self._provenance(),
            self._checks(),
        ]
        kept = [part for part in parts if part is not None]
        if self.is_trial:
            present = {p.id: p.title for section in (*before, *kept) for p in section.walk()}
            present |= {"top": "Title", "summary": "Summary"}
            table = consort.checklist(self.study, self.findings, present)
            kept.append(Section("checklist", "Reporting checklist", (ShownTable(table),)))
        return Section("detail", "The detail", (), tuple(kept))

    def _outcomes(self) -> Section | None:
        caption = "Effects, as randomised, among those who answered"
        tables = (
            detail.effects(self.results.main, self.names, "outcomes-table", caption),
            in_people.table(self.results, self.names),
            detail.means(self.results, self.names),
            detail.likeness(self.results, self.names),
        )
        extra = [ShownFigure(one) for one in study_figures(self.study, self.findings, self.names, main=False)]
        told = detectable.sentence(self.study, self.results.primary[:1], self.names)
        found = [Paragraph(told)] if told else []
        estimated = estimands(self.study, self.results, self.names)
        return _part("outcomes", "All outcomes", [*_shown(*tables), *estimated, *found, *extra])

    def _missing(self) -> Section | None:
        tables = (
            missing.response(self.results, self.names),
            missing.characteristics(self.results, self.names),
            missing.events(self.results, self.names),
            missing.bounds(self.results, self.names),
        )
        return _part("missing", "Missing answers", _shown(*tables))

    def _sensitivity(self) -> Section | None:
        caption = "The main question asked in other ways: other assumptions, then other estimands"
        table = detail.effects(self.results.checking, self.names, "sensitivity-table", caption)
        shown = _shown(table, looks.table(self.results, self.names))
        return _part("sensitivity", "Sensitivity and supplementary analyses", shown)

    def _harms(self) -> Section | None:
        if not self.is_trial:
            return None
        table = detail.harms(self.results, self.names)
        if table is not None:
            return Section("harms", "Harms", (ShownTable(table),))
        listed = ", ".join(self.names.column(one).lower() for one in self.protocol.harms)
        how = (
            f"The protocol lists {listed}; none has been counted."
            if listed
            else "The protocol lists no harm to look for."
        )
        return Section("harms", "Harms", (Paragraph(how),))

    def _deviations(self) -> Section | None:
        blocks = _shown(detail.amendments(self.study))
        if not blocks and self.study.registration is not None:
            blocks.append(Paragraph("The locked protocol has not been amended."))
        unplanned = detail.not_planned(self.findings, self.names)
        if unplanned:
            blocks.append(
                Paragraph(
                    "Analyses that the locked protocol does not name, all labelled \u201cNot planned\u201d:"
                )
            )
            blocks.append(Listing(unplanned))
        return _part("deviations", "Deviations from the protocol", blocks)

    def _exploratory(self) -> Section | None:
        found = self.results.exploratory
        if not found and not self.results.by_week and not self.results.by_level:
            return None
        note = Paragraph("Nothing in this part confirms anything: it suggests what to ask next.", aside=True)
        figures = [
            ShownFigure(one) for one in study_figures(self.study, self.findings, self.names, explored=True)
        ]
        caption = "Exploratory results and results that were not planned"
        table = detail.effects(found, self.names, "exploratory-table", caption)
        return Section("exploratory", "Exploratory results", (note, *figures, *_shown(table)))

    def _provenance(self) -> Section | None:
        if self.findings is None:
            return None
        found = self.findings
        rows: tuple[tuple[str, Markup | str], ...] = (
            ("Protocol (SHA-256)", Markup("<code>{}</code>").format(found.protocol_hash)),
            ("Locked", facts.day(found.locked) if found.locked else "no: nothing here counts as planned"),
            ("Data (SHA-256)", Markup("<code>{}</code>").format(found.data_hash)),
            ("Where the data come from", found.data_source),
            ("Sealed before the arms were known", facts.sealed(found)),
            ("Code", f"Equipoise {found.code_version}"),
            ("Analysis seed", Markup("<code>{}</code>").format(found.analysis_seed)),
            ("Every finding", Markup('<a href="{}">as a table</a>').format(PROVENANCE)),
            ("For programs", Markup('<a href="findings.json" download>findings.json</a>')),
        )
        return Section("provenance", "Provenance", (Facts("Provenance", rows),))

    def provenance_table(self) -> Table | None:
        """Every finding, one row each, for the page to which the numbers lead."""
        return None if self.findings is None else detail.provenance(self.findings, self.names)

    def _checks(self) -> Section:
        found = (
            *checks.check_study(self.study, self.findings),
            *checks.draws(self.study, self.findings, self.draws),
        )
        if not found:
            return Section(
                "checks",
                "Checks of this report",
                (
                    Paragraph(
                        "Every number of the narrative is drawn from a finding, every recommendation names "
                        "its support, and "
                        "totals reconcile."
                    ),
                ),
            )
        told = tuple(str(problem) for problem in found)
        return Section(
            "checks", "Checks of this report", (Paragraph("To be put right:", aside=True), Listing(told))
        )


def _shown(*tables: Table | None) -> list[Block]:
    return [ShownTable(table) for table in tables if table is not None]


def _part(name: str, title: str, blocks: Sequence[Block]) -> Section | None:
    return Section(name, title, tuple(blocks)) if blocks else None


def _codes(codes: dict[str, Code]) -> list[tuple[str, Code]]:
    found = []
    for name, code in codes.items():
        found.append((name, code))
        found.extend(_codes(code.codes))
    return found
