"""The five attributes of an estimand (ICH E9(R1), section A.3.2), and how it is estimated, in words."""

import re
from dataclasses import dataclass

from equipoise.protocol.models.analyses import MODEL_BASED, Analysis
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.names import in_words
from equipoise.protocol.study import Study
from equipoise.protocol.waves import SLOPE, points_of

__all__ = ["Estimand", "estimand_of"]

_TWO_ARMS = re.compile(r"^([a-z]\w*) - ([a-z]\w*)$")
_POLICY = "treatment-policy"
_STRATUM = "principal-stratum"
_STRATEGIES = {
    "composite": "counts as the worst value of the outcome (composite)",
    "hypothetical": "as if it had not happened; what was answered is set aside (hypothetical)",
    "while-on-treatment": "what was last answered before it counts (while on treatment)",
    _STRATUM: "the effect is that on people to whom it would happen in neither arm (principal stratum)",
}
_SUMMARIES = {"yes-no": "difference in shares", "count": "difference in mean counts"}


@dataclass(frozen=True)
class Estimand:
    """What an effect estimates.

    Attributes:
        treatment: what is compared with what, and in which sense.
        population: whose effect it is, and what counts once in it.
        variable: what is measured, and when.
        events: what may happen after the allocation, and what the estimand does about it.
        summary: the number that compares the arms.
        estimated: from whom, which is no part of the estimand.
    """

    treatment: str
    population: str
    variable: str
    events: str
    summary: str
    estimated: str

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Each attribute with its name."""
        return (
            ("Treatment", self.treatment),
            ("Population", self.population),
            ("Variable", self.variable),
            ("Events after allocation", self.events),
            ("Summary", self.summary),
            ("Estimated", self.estimated),
        )

    def paragraph(self) -> str:
        """All of it in one paragraph."""
        return " ".join(f"{name}: {words}." for name, words in self.rows())


def estimand_of(study: Study, analysis: Analysis, outcome: str, at: str | None, contrast: str) -> Estimand:
    """The estimand of one effect.

    Args:
        study: as loaded.
        analysis: spelled out.
        outcome: its name.
        at: the wave, or an average or slope of waves; None for an outcome without waves.
        contrast: as it is written.
    """
    spec = study.protocol.outcomes[outcome]
    return Estimand(
        treatment=_treatment(study, analysis, spec, contrast),
        population=_population(study, analysis, spec),
        variable=_variable(study, analysis, spec, at) + _until(study, spec),
        events=_events(study),
        summary=_summary(analysis, spec, at, contrast),
        estimated=_estimated(study, analysis, spec, at),
    )


def _treatment(study: Study, analysis: Analysis, spec: Outcome, contrast: str) -> str:
    compared = _compared(study, contrast)
    if spec.task is not None:
        return f"{compared}, as shown"
    if analysis.target == "complier":
        return (
            f"{in_words(analysis.take_up)} where the arm leads to it, by the allocation {compared}, "
            f"assuming: {str(analysis.assumption).rstrip('.')}"
        )
    if analysis.kind == "per-protocol":
        return f"{compared}, received as the arm foresees by {in_words(analysis.take_up)}; not randomised"
    return f"{compared}, as allocated and whatever was received"


def _compared(study: Study, contrast: str) -> str:
    """Both arms by their labels, or the contrast as it is written."""
    found = _TWO_ARMS.match(contrast)
    labels = {name: arm.label or name for stage in study.protocol.allocation.values()
              for name, arm in stage.arms.items()}  # fmt: skip
    if found and found[1] in labels and found[2] in labels:
        return f"{labels[found[1]]} against {labels[found[2]]}"
    return contrast


def _population(study: Study, analysis: Analysis, spec: Outcome) -> str:
    if spec.task is not None:
        who, weighting = "everybody who was asked to judge", "each rating counts once; these stimuli only"
        if analysis.model == "mixed":
            weighting = "ratings count by their precision; stimuli of the kind shown"
    else:
        who = "everybody randomised"
        clusters = analysis.average_over == "clusters"
        weighting = "Each cluster counts once" if clusters else "Each person counts once"
        if analysis.model in MODEL_BASED and analysis.cluster is not None:
            weighting = "Clusters count by their precision: between each cluster once and each person once"
    if analysis.target == "complier":
        who = f"those whose {in_words(analysis.take_up)} follows their arm"
    elif analysis.kind == "per-protocol":
        who = f"those who followed their arm by {in_words(analysis.take_up)} (not randomised)"
    stratum = _events_with(study, _STRATUM)
    if stratum and spec.task is None:
        who += f" to whom {' or '.join(stratum)} would happen in neither arm"
    if analysis.among:
        who += f" for whom {analysis.among}"
    if analysis.by:
        who += f", apart by {in_words(analysis.by)}"
    return f"{who}. {weighting[0].upper()}{weighting[1:]}{_of_strata(analysis)}"


def _of_strata(analysis: Analysis) -> str:
    """How strata weigh where the model sees to it."""
    by_people = analysis.model in ("difference-in-means", "lin-interacted")
    if "strata" not in (analysis.adjust or ()) or not by_people:
        return ""
    whose = "randomised" if analysis.model == "difference-in-means" else "analysed"
    return f"; each stratum by its people {whose}"


def _variable(study: Study, analysis: Analysis, spec: Outcome, at: str | None) -> str:
    """The outcome, and when: at a wave, on average over waves, or as its change a week or since before."""
    label = f"{spec.label} ({spec.unit})" if spec.unit else str(spec.label)
    if analysis.change_from is not None:
        label = f"the change since {_label(study, analysis.change_from)} in {label}"
    if at == SLOPE:
        return f"the change per week in {label} over the waves after the allocation"
    if not at:
        return label
    waves = [_label(study, wave) for wave in points_of(at)]
    return f"{label} at {waves[0]}" if len(waves) == 1 else f"{label} on average over {' and '.join(waves)}"


def _until(study: Study, spec: Outcome) -> str:
    """Where an event ends what is measured."""
    events = _events_with(study, "while-on-treatment") if spec.task is None else []
    return f", or as last answered before {' or '.join(events)} where that came first" if events else ""


def _events_with(study: Study, strategy: str) -> list[str]:
    return [in_words(event) for event, chosen in study.protocol.events.items() if chosen == strategy]


def _events(study: Study) -> str:
    policy, told = _events_with(study, _POLICY), []
    if policy:
        told.append(
            f"{', '.join(policy)}: whatever happened, everybody counts in their arm (treatment policy)"
        )
    told += [
        f"{in_words(event)}: {_STRATEGIES[strategy]}"
        for event, strategy in study.protocol.events.items()
        if strategy != _POLICY
    ]
    named = "; ".join(told) or "none named"
    return f"{named}. Not answering is missing data and no such event"


def _summary(analysis: Analysis, spec: Outcome, at: str | None, contrast: str) -> str:
    difference = _SUMMARIES.get(spec.scale, "difference in means")
    if analysis.change_from is not None:
        difference = "difference in mean change"
    if at == SLOPE:
        difference = "difference in the mean change per week"
    minus = _TWO_ARMS.match(contrast)
    return f"{difference}, {contrast}" if minus else f"{difference}, by the contrast {contrast}"


def _estimated(study: Study, analysis: Analysis, spec: Outcome, at: str | None) -> str:
    if spec.task is not None:
        return "from all ratings that were given"
    if _events_with(study, _STRATUM):
        return "by bounds only, from those who answered"
    if analysis.kind == "per-protocol":
        return "among those of them who answered"
    words = "as randomised, among those who answered"
    if analysis.model == "mmrm":
        return f"{words} a wave, missing waves taken to depend on what was answered only"
    return words + (" every one of these waves" if at and len(points_of(at)) != 1 else "")


def _label(study: Study, at: str) -> str:
    wave = study.protocol.waves.get(at)
    return (wave.label or at) if wave else at
