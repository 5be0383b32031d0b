"""Rolling enrolment: everybody gets an arm on arrival, and the whole queue is drawn again at its end.

The arm hangs on the seed, the stage, the stratum and the place in the stratum's queue; in a minimisation also
on the levels of those who came before. Places are given under a lock on the stage, so that no two people have
the same, nobody has two, and each is minimised by everybody before.
"""

from dataclasses import asdict

import polars as pl
from django.conf import settings
from django.db.models import Max

from equipoise.allocation import Allocation as Drawn
from equipoise.allocation import (
    AllocationRecord,
    Seed,
    Units,
    arm_on_arrival,
    arrivals_in,
    is_rolling,
    record_arrivals,
    stage_of,
    stage_seed,
    units_of,
)
from equipoise.allocation import draw_stage as draw
from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.allocation.commitment import (
    beside_kept,
    committed_folder,
    expected_round,
    strata_of,
)
from equipoise.platform.people.allocation.concealed import secret_of
from equipoise.platform.people.allocation.drawing import (
    kept_balance,
    public_round,
    recorded_round,
    refuse_undrawable,
    said_of,
)
from equipoise.platform.people.frames import people_frame
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of, stages
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.roster import identifier_of

__all__ = [
    "allocate_arrival",
    "allocation_ready",
    "arrived",
    "close_enrolment",
    "hand_in_round",
    "queue_again",
]

ON_ARRIVAL = "enrolled"


def hand_in_round(who: Acting, stage: Stage, text: str) -> Stage:
    """Give the public round that decides a stage of rolling enrolment, before the first person comes.

    Args:
        who: needs `allocation.commit`.
        stage: committed.
        text: `NUMBER:HEX`.
    Raises:
        InputError: not the round that the rule chose, or it is still to come; somebody has an arm already.
    """
    held = Stage.objects.select_related("study").get(pk=stage.pk)
    check_permission(who, "allocation.commit", held.study)
    check_state("allocation.commit", held.study.state, of=held.study.name)
    refuse_undrawable(held)
    chance = public_round(held, text)
    if chance is None:
        raise InputError(Problem(held.study.name, "round", "no public round goes into this stage"))
    with writing():
        said = {"stage": held.name, "round": chance.number, "randomness": chance.randomness}
        record(held.study.name, who.actor, "allocation.round", said)
        fresh = Stage.objects.select_for_update().get(pk=held.pk)
        if fresh.allocations.exists():
            message = "people have been allocated with the round that is there; it can no longer change"
            raise InputError(Problem(held.study.name, "round", message))
        fresh.public_round = asdict(chance)
        fresh.save(update_fields=["public_round"])
    return fresh


def allocation_ready(study: Study) -> Problem | None:
    """What a study that allocates people as they come still lacks before its launch; None for every other."""
    loaded = folder_of(study)
    if not is_rolling(loaded):
        return None
    for stage in stages(study):
        lacking = _lacking(stage, loaded)
        if lacking is not None:
            return Problem(study.name, f"allocation.{stage.name}", lacking)
    return None


def allocate_arrival(participant: Participant) -> dict[str, str]:
    """Give somebody who has just been enrolled their arm in every stage that is drawn on enrolment.

    Called inside the transaction that enrols them, so that nobody is enrolled without an arm. Where enrolment
    is not rolling, nothing happens: the roster is drawn at once.

    Args:
        participant: with their study; what the roster says of them is stored already.
    Returns:
        Their arms by stage, for the transaction alone: never for a page or a log.
    Raises:
        InputError: the stage is not ready, or its enrolment has been closed.
        DesignError: the participant has no stratum that the protocol permits.
    """
    study = participant.study
    if not is_rolling(folder_of(study)):
        return {}
    given = {}
    for stage in stages(study):
        arm = _arrive(study, stage, participant)
        if arm is not None:
            given[stage.name] = arm
    return given


def close_enrolment(who: Acting, stage: Stage) -> Stage:
    """End a stage of rolling enrolment: draw the whole queue again, compare, and record the draw.

    Args:
        who: needs `allocation.draw`.
        stage: committed; nobody is allocated in it any more afterwards.
    Raises:
        InputError: it is closed already, or nobody has come.
        CheckFailedError: somebody has another arm than the draw gives; the first is named by their key.
    """
    study = stage.study
    check_permission(who, "allocation.draw", study)
    check_state("allocation.draw", study.state, of=study.name)
    with writing():
        # The record first, as an arrival does: whoever takes locks in one order never waits in a circle.
        record(study.name, who.actor, "allocation.close", {"stage": stage.name})
        fresh = Stage.objects.select_for_update().select_related("study").get(pk=stage.pk)
        refuse_undrawable(fresh)
        loaded = committed_folder(fresh)
        name, declared = stage_of(loaded, fresh.name)
        units, arms = arrived(fresh)
        if not units.units:
            raise InputError(Problem(study.name, name, "nobody has come yet, so there is no draw to record"))
        written = record_arrivals(loaded, name, declared, units, arms, _seed(fresh, loaded))
        fresh.state, fresh.drawn_at, fresh.record = "drawn", now(), written.to_json()
        fresh.balance = kept_balance(fresh, units, queue_again(fresh, units)[0])
        fresh.save(update_fields=["state", "drawn_at", "record", "balance"])
        record(study.name, who.actor, "allocation.draw", said_of(fresh, written))
    return fresh


def arrived(stage: Stage) -> tuple[Units, list[str]]:
    """Everybody who has come, each stratum in order of arrival, and the arm that each was given."""
    loaded = committed_folder(stage)
    name, declared = stage_of(loaded, stage.name)
    rows = list(
        Allocation.objects.filter(stage=stage)
        .order_by("stratum", "number")
        .values_list("participant__key", "stratum", "arm", "beside")
    )
    keys, labels = [row[0] for row in rows], [row[1] for row in rows]
    plan = arrivals_in(loaded, name, declared)
    ratio = {
        label: dict(zip(plan.arms, plan.shares_in(label), strict=True)) for label in dict.fromkeys(labels)
    }
    units = Units(
        people=pl.DataFrame({identifier_of(loaded): keys}, schema={identifier_of(loaded): pl.String}),
        units=keys,
        strata=strata_of(declared.strata, labels),
        labels=labels if declared.strata else None,
        ratio=ratio if declared.strata else ratio.get("", {}),
        cluster=None,
        beside=beside_kept(declared, [row[3] for row in rows]),
    )
    return units, [row[2] for row in rows]


def queue_again(stage: Stage, units: Units) -> tuple[Drawn, AllocationRecord]:
    """Draw the queue of a stage at once, as it was drawn one by one."""
    loaded = committed_folder(stage)
    name, declared = stage_of(loaded, stage.name)
    locked = loaded.registration.time if loaded.registration is not None else None
    return draw(loaded, name, declared, units, _seed(stage, loaded), roster_recorded=locked)


def _arrive(study: Study, stage: Stage, participant: Participant) -> str | None:
    """The arm of one arrival; None for somebody whom the stage does not select."""
    if stage.state == "planned":
        raise InputError(Problem(study.name, stage.name, "is not committed, so nobody can be enrolled yet"))
    loaded = committed_folder(stage)
    known = _known(loaded, stage, participant)
    if known is None:
        return None
    stratum, beside = known
    name, declared = stage_of(loaded, stage.name)
    plan = arrivals_in(loaded, name, declared)
    with writing():
        record(study.name, "system", "allocation.arrival", {"stage": name, "participant": participant.key})
        held = Stage.objects.select_for_update().select_related("study").get(pk=stage.pk)
        if held.state == "drawn":
            raise InputError(
                Problem(study.name, name, "its enrolment has been closed; nobody is added any more")
            )
        given = Allocation.objects.filter(stage=held, participant=participant).first()
        if given is not None:
            return str(given.arm)
        places = Allocation.objects.filter(stage=held, stratum=stratum)
        number = (places.aggregate(last=Max("number"))["last"] or 0) + 1
        arm = arm_on_arrival(
            plan,
            name,
            _seed(held, loaded).value,
            stratum=stratum,
            number=number,
            levels=beside,
            earlier=list(places.order_by("number").values_list("beside", flat=True)) if beside else (),
        )
        Allocation.objects.create(
            stage=held,
            participant=participant,
            stratum=stratum,
            number=number,
            beside=beside,
            arm=arm,
            at=now(),
        )
    return arm


def _known(loaded: StudyFolder, stage: Stage, participant: Participant) -> tuple[str, list[str]] | None:
    """Somebody's stratum, and what is looked at beside it; None where the stage does not select them."""
    name, declared = stage_of(loaded, stage.name)
    if not (declared.strata or declared.balanced_on) and declared.among is None:
        return "", []
    person = people_frame(loaded, Participant.objects.filter(pk=participant.pk))
    if declared.among is not None:
        among = compile_expression(declared.among, before_allocation(loaded.protocol, name), expects="bool")
        if not among.evaluate_frame(person)[0]:
            return None
    units = units_of(loaded, name, declared, person, identifier_of(loaded))
    beside = [values[0] for values in units.beside.columns.values()]
    return units.labels[0] if units.labels else "", beside


def _seed(stage: Stage, loaded: StudyFolder) -> Seed:
    chance = recorded_round(stage)
    if chance is None and settings.WORKSPACE.live and expected_round(stage) is not None:
        message = "the public round that decides this stage has not been given; give it, then enrol people"
        raise InputError(Problem(stage.study.name, stage.name, message))
    secret = secret_of(stage)
    return stage_seed(loaded, stage.name, secret, roster_hash=stage.roster_hash, public_round=chance)


def _lacking(stage: Stage, loaded: StudyFolder) -> str | None:
    name, declared = stage_of(loaded, stage.name)
    if declared.when != ON_ARRIVAL:
        return f"with rolling enrolment people are allocated when they enrol; write `when: {ON_ARRIVAL}`"
    arrivals_in(loaded, name, declared)
    if stage.state == "planned":
        return "is not committed; commit it, so that the public round is known"
    if not stage.secret:
        return "the team's secret has not been handed in; people are allocated with it as they come"
    expected = expected_round(stage)
    if expected is not None and stage.public_round is None and settings.WORKSPACE.live:
        return (
            f"public round {expected.number} has not been given; it decides this stage ({expected.address})"
        )
    return None
