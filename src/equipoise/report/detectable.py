"""What a trial of this size could have found, beside what was planned: printed with the results."""

from collections.abc import Sequence

from equipoise.diagnosis.detectable import detectable_difference
from equipoise.findings.results import Finding
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.report.names import Names
from equipoise.report.numbers import number

__all__ = ["sentence"]


def sentence(study: Study, primary: Sequence[Finding], names: Names) -> str | None:
    """The detectable difference if everybody randomised had answered, and with those analysed.

    None where the primary result is not of two arms of people, or the protocol assumes no SD.
    """
    if not primary or primary[0].outcome is None:
        return None
    finding, protocol = primary[0], study.protocol
    assumed = protocol.diagnosis.assume.outcomes.get(str(finding.outcome))
    if assumed is None or assumed.sd is None or len(finding.n) != 2 or set(finding.n) != set(protocol.arms):
        return None
    targets = protocol.diagnosis.targets
    before = waves_before(protocol, protocol.main_stage)[-1:]
    share = sum(protocol.diagnosis.assume.response.waves.get(wave, 0.0) for wave in before)

    def smallest(people: dict[str, int]) -> float:
        first, second = people.values()
        return detectable_difference(
            (first, second),
            assumed.sd or 1.0,
            correlation=assumed.before_after_correlation,
            share_before=share,
            power=targets.power,
            alpha=targets.alpha,
        )

    if min(*finding.n.values(), *finding.n_randomised.values()) < 1:
        return None
    unit = finding.units or "points"
    return (
        f"A trial of this size would find a difference in {names.outcome(finding.outcome).lower()} of "
        f"{number(smallest(finding.n_randomised), 2)} {unit} with {targets.power:.0%} power had everybody "
        f"answered, and of {number(smallest(finding.n), 2)} with those who did (two-sided "
        f"{targets.alpha:.0%}, planning SD {number(assumed.sd, 1)}; the formula is in Bloom, 1995)."
    )
