"""`equipoise staff`: who may work in a workspace, and as what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.workspaces import at_work_in

if TYPE_CHECKING:
    from equipoise.platform.staff.models import StaffMember

__all__ = ["app"]

app = typer.Typer(help="Say who works in a workspace.", no_args_is_help=True, rich_markup_mode=None)

Workspace = Annotated[Path, typer.Argument(help="The folder of the workspace.")]
Email = Annotated[str, typer.Argument(help="The e-mail address of the account.")]
RoleName = Annotated[str, typer.Option("--role", help="administrator or lead.")]
OfStudy = Annotated[
    str | None, typer.Option("--study", help="The study; every study of the workspace when left out.")
]


@app.command("add")
def add(
    workspace: Workspace,
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What colleagues call them.")],
    role: RoleName,
    study: OfStudy = None,
    json: Json = False,
) -> None:
    """Make an account and print the link by which its owner sets a password.

    Give them the link by a way that only they read. It works once, for three days.
    """
    with at_work_in(workspace):
        from equipoise.platform.staff.actions import CommandLine, add_member, check_role
        from equipoise.platform.staff.passwords import password_link

        check_role(role)
        place = _place(study)
        member = add_member(CommandLine(), email, name)
        _grant(member, role, place)
        link = password_link(CommandLine(), member)
    lines = [f"{member.email} is {role} {_words(study)} ({member.actor}). They set a password here:", link]
    answer(lines, _said(member, role, study) | {"link": link}, json=json)


@app.command("link")
def link(
    workspace: Workspace,
    email: Email,
    new_factor: Annotated[
        bool,
        typer.Option("--new-factor", help="Forget their authenticator app too; they set up another one."),
    ] = False,
    json: Json = False,
) -> None:
    """Print a new link to set a password, for whoever has lost theirs or their telephone.

    Make sure that it is they who ask: with --new-factor the link alone opens the account.
    """
    with at_work_in(workspace):
        from equipoise.platform.staff.actions import CommandLine, forget_factor
        from equipoise.platform.staff.passwords import password_link
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        made = password_link(CommandLine(), member)
        if new_factor:
            forget_factor(CommandLine(), member)
    forgotten = " Their authenticator app is forgotten." if new_factor else ""
    lines = [f"{member.email} sets a new password here, once, within three days.{forgotten}", made]
    answer(lines, {"member": member.actor, "link": made, "new_factor": new_factor}, json=json)


@app.command("grant")
def grant(
    workspace: Workspace,
    email: Email,
    role: RoleName,
    study: OfStudy = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give somebody a role."""
    with at_work_in(workspace):
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        _grant(member, role, _place(study))
    line = f"{member.email} is {role} {_words(study)}."
    answer([line], _said(member, role, study), json=json, quiet=quiet)


@app.command("revoke")
def revoke(
    workspace: Workspace,
    email: Email,
    role: RoleName,
    study: OfStudy = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take a role from somebody; it is gone with their next page."""
    with at_work_in(workspace):
        from equipoise.platform.staff import actions
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        actions.revoke(actions.CommandLine(), member, role, **_place(study))
    line = f"{member.email} is no longer {role} {_words(study)}."
    answer([line], _said(member, role, study), json=json, quiet=quiet)


@app.command("end")
def end(workspace: Workspace, email: Email, json: Json = False, quiet: Quiet = False) -> None:
    """End an account: whoever is signed in with it is out with their next page.

    What they did stays in the record.
    """
    with at_work_in(workspace):
        from equipoise.platform.staff.actions import CommandLine, end_member
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        end_member(CommandLine(), member)
    line = f"The account of {member.email} has been ended ({member.actor})."
    answer([line], {"member": member.actor}, json=json, quiet=quiet)


@app.command("list")
def list_(workspace: Workspace, json: Json = False) -> None:
    """List who has or had an account, with their roles."""
    with at_work_in(workspace):
        found = _everybody()
    lines = [
        f"{each['member']:<10} {each['email']:<32} {each['name']}: "
        + ("ended" if each["ended"] else ", ".join(each["roles"]) or "no role")
        for each in found
    ]
    answer(lines or ["Nobody has an account yet."], {"staff": found}, json=json)


def _everybody() -> list[dict[str, Any]]:
    from equipoise.platform.registry.queries import studies
    from equipoise.platform.staff.queries import members, roles_held

    named = {study.pk: study.name for study in studies()}
    roles: dict[int, list[str]] = {}
    for held in roles_held():
        place = named.get(held.study_id, "?") if held.study_id is not None else None
        roles.setdefault(held.member_id, []).append(f"{held.role} {_words(place)}")
    return [
        {
            "member": member.actor,
            "email": member.email,
            "name": member.name,
            "ended": not member.is_active,
            "roles": roles.get(member.pk, []),
        }
        for member in members()
    ]


def _place(study: str | None) -> dict[str, Any]:
    """Where a role is held, as the actions want it: the study's number and the chain that records it."""
    if study is None:
        return {"study_id": None}
    from equipoise.platform.registry.queries import study_named

    found = study_named(study)
    return {"study_id": found.pk, "chain": found.name}


def _grant(member: "StaffMember", role: str, place: dict[str, Any]) -> None:
    from equipoise.platform.staff import actions

    actions.grant(actions.CommandLine(), member, role, **place)


def _words(study: str | None) -> str:
    return f"of {study}" if study else "of the workspace"


def _said(member: "StaffMember", role: str, study: str | None) -> dict[str, Any]:
    return {"member": member.actor, "email": member.email, "role": role, "study": study}
