"""The team's secret while it is in the platform's keeping: encrypted, never shown, never logged.

It is wrapped by the newest of the workspace's keys for contact details, bound to its study and stage, and
opened only inside a draw. The team keeps its own copy, and publishes that one when enrolment has closed.
"""

from django.conf import settings

from equipoise.allocation import commitment, secret_from_text
from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.crypto import unwrap, wrap
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Stage
from equipoise.platform.registry.queries import folder_of

__all__ = ["hand_in_secret", "rewrap_secrets", "secret_of"]


def hand_in_secret(who: Acting, stage: Stage, text: str) -> Stage:
    """Put the team's secret into the platform's keeping, for one stage.

    Args:
        who: needs `allocation.commit`.
        stage: one that is not drawn yet.
        text: 64 hexadecimal digits, as in the file that `equipoise lock` made.
    Raises:
        InputError: it is no secret, or another one than the lock committed to; neither is repeated.
    """
    study = stage.study
    check_permission(who, "allocation.commit", study)
    check_state("allocation.commit", study.state, of=study.name)
    secret = secret_from_text(text, place="secret")
    registration = folder_of(study).registration
    if registration is None or commitment(secret) != registration.seed_commitment:
        message = (
            "this is not the secret that the lock committed to; take the file that `equipoise lock` made then"
        )
        raise InputError(Problem("secret", "", message))
    with writing():
        record(study.name, who.actor, "allocation.secret", {"stage": stage.name})
        held = Stage.objects.select_for_update().get(pk=stage.pk)
        if held.state == "drawn":
            raise InputError(Problem(study.name, stage.name, "has been drawn; its secret is in it already"))
        held.secret = wrap(secret, settings.WORKSPACE.contact_keys(), _owner(held))
        held.save(update_fields=["secret"])
    return held


def secret_of(stage: Stage) -> bytes:
    """The secret of a stage, for a draw.

    Raises:
        InputError: it has not been handed in.
        CheckFailedError: it cannot be opened with the workspace's keys.
    """
    if not stage.secret:
        message = "the team's secret has not been handed in; hand it in, then draw"
        raise InputError(Problem(stage.study.name, stage.name, message))
    return unwrap(stage.secret, settings.WORKSPACE.contact_keys(), _owner(stage))


def rewrap_secrets() -> int:
    """Wrap every secret by the newest key, so that an older one can go; inside the rotation's transaction.

    Returns:
        How many were wrapped anew.
    """
    keys = settings.WORKSPACE.contact_keys()
    newest = list(keys)[-1]
    kept = Stage.objects.select_for_update().select_related("study").exclude(secret="")
    old = [stage for stage in kept if not stage.secret.startswith(f"{newest}:")]
    for stage in old:
        stage.secret = wrap(secret_of(stage), keys, _owner(stage))
        stage.save(update_fields=["secret"])
    return len(old)


def _owner(stage: Stage) -> str:
    return f"stage/{stage.study.name}/{stage.name}"
