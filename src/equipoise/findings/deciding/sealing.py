"""Whether the data analysed are those that were sealed before the arms were known, and if not, why not."""

from dataclasses import dataclass

from equipoise.findings.deciding.looking import Looking
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.dictionary import Sealed
from equipoise.findings.reading.hashing import data_hash, exclusions_hash, seal_of
from equipoise.findings.results import SeenByArm
from equipoise.protocol.study import Study

__all__ = ["Standing", "standing_of", "told_of_declared", "told_of_looks"]


@dataclass(frozen=True)
class Standing:
    """How data stand: `sealed` is None where nothing of a seal can be known, `why_not` says what is amiss."""

    sealed: bool | None
    seal: str | None = None
    why_not: str | None = None


def standing_of(data: StudyData, protocol_hash: str) -> Standing:
    """How data stand towards their seal.

    Data that a workspace collected are sealed there. Of data from outside and of simulated ones nobody can
    know who had seen what; there the lock alone counts.

    Args:
        data: as they were read, before anything is computed from them.
        protocol_hash: of the protocol by which they are analysed.
    """
    if data.source != "collected" or not data.arms_drawn:
        return Standing(None)
    if data.masked:
        return Standing(None, None if data.seal is None else data.seal.hash, "the arms are masked")
    if data.seal is None:
        return Standing(False, None, "the data were exported before they were sealed")
    why = _broken(data, data.seal, protocol_hash)
    early = next((look for look in data.looks if not look.sealed and not look.declared), None)
    if why is None and early is not None:
        why = f"results were looked at by arm on {early.on}, before the data were sealed"
        return Standing(True, data.seal.hash, why)
    return Standing(why is None, data.seal.hash, why)


def told_of_looks(looks: tuple[SeenByArm, ...]) -> tuple[str, ...]:
    """What a result has to say of looks that nobody declared: the stated error rate holds no longer."""
    told = (
        f"the results were looked at by arm on {look.on}, before the planned final analysis, when "
        f"{look.answered} of {look.asked} had answered; the protocol does not declare this look, so the "
        "stated error rate no longer holds"
        for look in looks
        if not look.declared
    )
    return tuple(dict.fromkeys(told))  # several on one day are told once


def told_of_declared(study: Study, looks: tuple[SeenByArm, ...], looking: Looking | None) -> tuple[str, ...]:
    """What a result has to say of the looks that the protocol declares, and what they leave for its test.

    Args:
        study: its protocol declares the looks.
        looks: those that the data tell of.
        looking: how the data stand towards them; None where the protocol declares none.
    """
    if looking is None:
        return ()
    made = [look for look in looks if look.declared]
    if not made:
        return (
            "the protocol declares interim looks and the data tell of none, so the tests spend the whole "
            "error rate at the end",
        )
    alpha = study.protocol.testing[0].alpha if study.protocol.testing else 0.05
    listed = "; ".join(f"on {look.on}, when {look.answered} of {look.asked} had answered" for look in made)
    here = (
        "this is the analysis of such a look, and the trial goes on unless it is stopped"
        if looking.interim
        else "this is the final analysis"
    )
    return (
        f"the results were looked at by arm as the protocol declares ({listed}); {here}. A test needs a "
        f"p-value of {looking.level(alpha):.4f} or less here, in place of {alpha:g}",
    )


def _broken(data: StudyData, seal: Sealed, protocol_hash: str) -> str | None:
    """Which part of the seal does not fit, in words."""
    if seal.unmasked_at is not None and seal.unmasked_at < seal.sealed_at:
        return "the results were unmasked before the data were sealed"
    if seal.protocol_hash != protocol_hash:
        return "the protocol is not the one under which the data were sealed; it was amended since"
    found = {"data_hash": data_hash(data), "exclusions_hash": exclusions_hash(data)}
    if found["exclusions_hash"] != seal.exclusions_hash:
        return "the list of exclusions is not the one that was sealed"
    if found["data_hash"] != seal.data_hash:
        gone = seal.erased_since
        erased = f"; {gone} have had everything erased since" if gone else ""
        return f"the data are not those that were sealed: they have changed since{erased}"
    if seal_of(**found, protocol_hash=protocol_hash) != seal.hash:
        return "the seal does not fit its own parts; take the dictionary of the export again"
    return None
