"""The first screen: the answer with its interval, how sure it is, and what to do; and the banners above
it."""

from markupsafe import Markup

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.study import Study
from equipoise.report import facts, words
from equipoise.report.looks import is_interim
from equipoise.report.names import Names
from equipoise.report.numbers import count, percentage
from equipoise.report.progression import verdicts
from equipoise.report.references import linked
from equipoise.report.results import Results
from equipoise.report.source import select, total_people
from equipoise.report.tables import PROVENANCE

__all__ = ["answer", "banners", "sure"]


def banners(study: Study, findings: Findings | None) -> tuple[str, ...]:
    """What a reader has to know before the first number."""
    told = []
    simulated = findings is not None and findings.data_source == "simulated"
    if simulated:
        told.append(
            "Simulated participants: no real person was asked, and every result here was computed "
            "from made-up answers."
        )
    if study.protocol.study.synthetic:
        told.append("A demonstration: organisations and people in this study are invented.")
    if findings is not None and findings.locked is None:
        told.append("No locked protocol: every result here is not planned.")
    elif study.registration is not None and study.registration.clock == "rehearsal":
        told.append("A rehearsal: the time of the lock comes from a simulated clock.")
    told += _blinding(findings)
    told += _declared_looks(study, findings)
    if study.protocol.study.data_public_since:
        told.append(
            f"The data have been public since {study.protocol.study.data_public_since}: nothing "
            "here confirms a plan "
            "made before they could be read."
        )
    return tuple(told)


def _blinding(findings: Findings | None) -> list[str]:
    """Whether anybody could know the arms when decisions were taken."""
    if findings is None:
        return []
    told = []
    if findings.masked:
        told.append(
            "The arms are masked: nothing here was computed by arm, and nothing confirms anything. Effects "
            "follow once the results are unmasked."
        )
    if findings.sealed is False:
        told.append("The data analysed are not those that were sealed before anybody knew the arms.")
    looks = (
        f"The results were looked at by arm on {facts.day(look.on.isoformat())}, before the planned final "
        f"analysis, when {count(look.answered)} of {count(look.asked)} had answered. The protocol does not "
        "declare this look, so the stated error rate no longer holds."
        for look in findings.looks
        if not look.declared
    )
    return [*told, *dict.fromkeys(looks)]


def _declared_looks(study: Study, findings: Findings | None) -> list[str]:
    """Looks that the protocol declares, and whether this is the analysis of one."""
    if findings is None or not study.protocol.looks:
        return []
    told = [
        f"The results were looked at by arm on {facts.day(look.on.isoformat())}, as the protocol declares, "
        f"when {count(look.answered)} of {count(look.asked)} had answered. Tests allow for it."
        for look in findings.looks
        if look.declared
    ]
    if is_interim(findings.findings):
        told.append(
            "An interim analysis: the trial goes on unless the protocol says to stop. Nothing here is its "
            "final result."
        )
    return list(dict.fromkeys(told))


def answer(
    study: Study, findings: Findings | None, names: Names, page: str = PROVENANCE
) -> tuple[Markup | str, ...]:
    """The answer to the question: the primary result, the verdicts of a pilot, or what is known so far."""
    if study.protocol.study.kind == "interviews":
        return _interviews(study)
    if study.protocol.progression:
        judged = [verdict.sentence(page) for verdict in verdicts(study, findings, names)]
        return tuple(judged) or ("The pilot's data have not been analysed yet.",)
    primary = Results.of_study(study, findings).primary
    if not primary:
        return ("No result has been computed yet.",)
    return tuple(linked(one.id, words.sentence(one, names), page) for one in primary[:2])


def sure(study: Study, findings: Findings | None, names: Names) -> tuple[Markup | str, ...]:
    """Who answered of whom, what was planned, and what would have mattered."""
    told: list[Markup | str] = []
    primary = next(iter(Results.of_study(study, findings).primary), None)
    told.extend(_answered(study, findings, primary, names))
    if study.protocol.study.kind in ("trial", "survey-experiment"):
        told.append(_planned(findings, primary))
        if primary is not None and primary.margin is not None:
            scale = words.scale_of(primary, names)
            amount = scale.with_unit(f"{primary.margin * scale.factor:g}")
            told.append(f"The smallest difference said in advance to matter: {amount}.")
        elif primary is not None:
            told.append("No smallest difference that matters was set in advance.")
    elif study.protocol.study.kind == "pilot":
        told.append(
            "A pilot without arms shows whether a trial is workable; it cannot show what the product causes."
        )
    else:
        told.append("Interviews show how people see a thing and why; they do not count how many see it so.")
    return tuple(told)


def _answered(study: Study, findings: Findings | None, primary: Finding | None, names: Names) -> list[Markup]:
    total = total_people(study, findings)
    if total is None:
        return []
    if findings is None:
        return [Markup("{} people {}.").format(count(total[0]), total[1])]
    wave = primary.at if primary is not None and primary.at else next(reversed(study.protocol.waves), "")
    found = select(findings, f"flow.answered_{wave}") or (
        select(findings, f"flow.analysed.{primary.outcome}") if primary else []
    )
    whole = next((one for one in found if one.arm is None and one.estimate is not None), None)
    if not found:
        return [Markup("{} people {}.").format(count(total[0]), total[1])]
    answered = whole.estimate if whole is not None else sum(one.estimate or 0 for one in found)
    share = (answered or 0) / total[0] if total[0] else 0
    of = " of those randomised" if total[1] == "randomised" else ""
    few = f" Most{of} did not answer, and those who did may differ from them." if share < 0.5 else ""
    did = "have an outcome that could be analysed" if ".analysed." in found[0].id else "answered"
    number = linked((whole or found[0]).id, count(answered))
    return [
        Markup("{} of {} people {} {} ({}).{}").format(
            number, count(total[0]), total[1], did, percentage(share), few
        )
    ]


def _planned(findings: Findings | None, primary: Finding | None) -> str:
    if findings is None:
        return "Nothing has been analysed yet."
    if findings.locked is None:
        return "No protocol was locked before the analysis, so no result counts as planned."
    when = f"The protocol was locked on {facts.day(findings.locked)}"
    if primary is not None and primary.confirmatory:
        return f"{when}, and this is the result that it named first."
    return f"{when}; this result does not confirm a claim named before the data were seen."


def _interviews(study: Study) -> tuple[str, ...]:
    themes = [code.label for code in study.codebook.codes.values()] if study.codebook else []
    told = ["The interviews are analysed later; no finding is claimed yet."]
    if themes:
        told.append(f"The codebook looks for {len(themes)} themes: {'; '.join(themes)}.")
    return tuple(told)
