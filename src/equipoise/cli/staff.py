"""`equipoise staff`: who may work in a workspace, and as what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.workspaces import at_work_in

if TYPE_CHECKING:
    from equipoise.platform.staff.actions import Place
    from equipoise.platform.staff.models import StaffMember

__all__ = ["app"]

app = typer.Typer(help="Say who works in a workspace.", no_args_is_help=True, rich_markup_mode=None)

Workspace = Annotated[Path, typer.Argument(help="The folder of the workspace.")]
Email = Annotated[str, typer.Argument(help="The e-mail address of the account.")]
RoleName = Annotated[
    str,
    typer.Option(
        "--role",
        help="administrator, lead, data-manager, coordinator, analyst, interviewer, coder or auditor.",
    ),
]
OfStudy = Annotated[
    str | None, typer.Option("--study", help="The study; every study of the workspace when left out.")
]
OfPartner = Annotated[
    str | None, typer.Option("--partner", help="For a coordinator: the partner whose people they look after.")
]
OfProgramme = Annotated[
    str | None, typer.Option("--programme", help="Instead of a study: every study of this programme.")
]


@app.command("add")
def add(
    workspace: Workspace,
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What colleagues call them.")],
    role: RoleName,
    study: OfStudy = None,
    partner: OfPartner = None,
    programme: OfProgramme = None,
    json: Json = False,
) -> None:
    """Make an account and print the link by which its owner sets a password.

    Give them the link by a way that only they read. It works once, for three days.
    """
    with at_work_in(workspace):
        from equipoise.platform.staff.actions import CommandLine, add_member, check_role, grant
        from equipoise.platform.staff.passwords import password_link

        place = _place(study, partner, programme)
        check_role(role, place)
        member = add_member(CommandLine(), email, name)
        grant(CommandLine(), member, role, place)
        link = password_link(CommandLine(), member)
        first = f"{member.email} is {role} {_words(place)} ({member.actor}). They set a password here:"
        said = _said(member, role, place) | {"link": link}
    answer([first, link], said, json=json)


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
    partner: OfPartner = None,
    programme: OfProgramme = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give somebody a role."""
    with at_work_in(workspace):
        from equipoise.platform.staff import actions
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        place = _place(study, partner, programme)
        actions.grant(actions.CommandLine(), member, role, place)
        line = f"{member.email} is {role} {_words(place)}."
        said = _said(member, role, place)
    answer([line], said, json=json, quiet=quiet)


@app.command("revoke")
def revoke(
    workspace: Workspace,
    email: Email,
    role: RoleName,
    study: OfStudy = None,
    partner: OfPartner = None,
    programme: OfProgramme = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take a role from somebody; it is gone with their next page."""
    with at_work_in(workspace):
        from equipoise.platform.registry.staffing import take_role
        from equipoise.platform.staff.actions import CommandLine
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        place = _place(study, partner, programme)
        take_role(CommandLine(), member, role, place)
        line = f"{member.email} is no longer {role} {_words(place)}."
        said = _said(member, role, place)
    answer([line], said, json=json, quiet=quiet)


@app.command("end")
def end(workspace: Workspace, email: Email, json: Json = False, quiet: Quiet = False) -> None:
    """End an account with all its roles: whoever is signed in with it is out with their next page.

    What they did stays in the record.
    """
    with at_work_in(workspace):
        from equipoise.platform.registry.staffing import end_account
        from equipoise.platform.staff.actions import CommandLine
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        end_account(CommandLine(), member)
    line = f"The account of {member.email} has been ended ({member.actor})."
    answer([line], {"member": member.actor}, json=json, quiet=quiet)


@app.command("sign-out")
def sign_out(workspace: Workspace, email: Email, json: Json = False, quiet: Quiet = False) -> None:
    """Sign somebody out in every browser, for when one of theirs is in other hands."""
    with at_work_in(workspace):
        from equipoise.platform.staff.actions import CommandLine, end_sessions
        from equipoise.platform.staff.queries import member_named

        member = member_named(email)
        ended = end_sessions(CommandLine(), member)
    line = f"{member.email} is signed out everywhere; {ended} sessions have been ended."
    answer([line], {"member": member.actor, "sessions": ended}, json=json, quiet=quiet)


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
    from equipoise.platform.registry.places import places_of
    from equipoise.platform.staff.queries import members, roles_held

    held = roles_held()
    roles: dict[int, list[str]] = {}
    for each, place in zip(held, places_of(held), strict=True):
        roles.setdefault(each.member_id, []).append(f"{each.role} {_words(place)}")
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


def _place(study: str | None, partner: str | None, programme: str | None) -> "Place":
    from equipoise.platform.registry.places import place_named

    return place_named(study=study, partner=partner, programme=programme)


def _words(place: "Place") -> str:
    from equipoise.platform.registry.places import place_words

    return place_words(place)


def _said(member: "StaffMember", role: str, place: "Place") -> dict[str, Any]:
    where = {name: each and each.name for name, each in vars(place).items()}
    return {"member": member.actor, "email": member.email, "role": role, **where}
