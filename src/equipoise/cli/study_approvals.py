"""`equipoise study unmask`, `approvals`, `approve`: what takes two people, as far as a command can do it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.study import Name, Why, Workspace
from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.workspaces import at_work_in

if TYPE_CHECKING:
    from equipoise.platform.approvals.models import ApprovalRequest

__all__ = ["approvals", "approve", "unmask"]


def unmask(workspace: Workspace, study: Name, reason: Why, json: Json = False, quiet: Quiet = False) -> None:
    """Ask to unmask the results of a sealed study: its data then name the arms. This cannot be undone.

    It is done once a member of staff has approved it in the office, within 14 days.
    """
    with at_work_in(workspace):
        from django.conf import settings

        from equipoise.platform.approvals.actions import ask
        from equipoise.platform.approvals.acts import UNMASK
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        request = ask(CommandLine(), study_named(study), UNMASK, reason=reason)
        said = _said(request)
        place = f"{settings.WORKSPACE.settings.origin}/office/studies/{study}/approvals/{request.number}/"
        live = settings.WORKSPACE.live
    onward = "somebody approves it at " + place
    if not live:
        onward = f"equipoise study approve {workspace} {study} {request.number}"
    lines = [f"{study}: request {request.number} waits for a second person.", f"Next: {onward}"]
    answer(lines, said, json=json, quiet=quiet)


def approvals(
    workspace: Workspace,
    study: Name,
    take_back: Annotated[
        int | None, typer.Option("--take-back", help="Take back the request of this number.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List what was asked for that takes two people, newest first."""
    with at_work_in(workspace):
        from equipoise.platform.approvals import actions
        from equipoise.platform.approvals.queries import request_numbered, requests
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        found = study_named(study)
        if take_back is not None:
            actions.take_back(CommandLine(), request_numbered(found, take_back))
        told = [_said(request) for request in requests(found)]
    lines = [
        f"{each['request']:>4}  {each['act']:<16} {each['state']:<11} asked by {each['asked_by']}"
        for each in told
    ]
    answer(lines or ["Nothing was asked for."], {"study": study, "requests": told}, json=json, quiet=quiet)


def approve(
    workspace: Workspace,
    study: Name,
    number: Annotated[int, typer.Argument(help="The number of the request.")],
    comment: Annotated[
        str, typer.Option("--comment", help="Kept in the study's record.")
    ] = "Approved in a rehearsal",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Approve a request as the second person of a rehearsal; a live workspace refuses it."""
    with at_work_in(workspace):
        from equipoise.platform.approvals.actions import Rehearsal, decide
        from equipoise.platform.approvals.queries import request_numbered
        from equipoise.platform.registry.queries import study_named

        request = decide(Rehearsal(), request_numbered(study_named(study), number), "approve", comment)
        said = _said(request)
    answer([f"{study}: request {number} is approved, and done."], said, json=json, quiet=quiet)


def _said(request: "ApprovalRequest") -> dict[str, Any]:
    from equipoise.platform.approvals.queries import state_of

    return {
        "study": request.study.name,
        "request": request.number,
        "act": request.act,
        "state": state_of(request),
        "asked_by": request.asked_by,
        "asked_at": request.asked_at.isoformat(timespec="seconds"),
        "expires_at": request.expires_at.isoformat(timespec="seconds"),
        "decided_by": request.decided_by,
        "reason": request.reason,
        "comment": request.comment,
    }
