"""`equipoise service`: programs that work in a study by a token."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.workspaces import at_work_in

if TYPE_CHECKING:
    from equipoise.platform.services.models import Service

__all__ = ["app"]

app = typer.Typer(help="Let programs work in a study.", no_args_is_help=True, rich_markup_mode=None)

Workspace = Annotated[Path, typer.Argument(help="The folder of the workspace.")]


@app.command("add")
def add(
    workspace: Workspace,
    study: Annotated[str, typer.Argument(help="The id of the study; the service reaches no other.")],
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    keeper: Annotated[
        str,
        typer.Option("--keeper", help="The e-mail address of the lead or data manager who answers for it."),
    ],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="study:read, counts:read, rosters:write or frames:read; give each."),
    ],
    partner: Annotated[
        str | None,
        typer.Option("--partner", help="For this partner's people only; everybody's when left out."),
    ] = None,
    days: Annotated[int, typer.Option("--days", help="How long its token works, at most 365.")] = 90,
    json: Json = False,
) -> None:
    """Make a service and print its token.

    The token is not kept and cannot be printed again.
    """
    with at_work_in(workspace):
        from equipoise.platform.registry.places import partner_named
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.services.actions import make_service
        from equipoise.platform.staff.actions import CommandLine
        from equipoise.platform.staff.queries import member_named

        found = study_named(study)
        made = make_service(
            CommandLine(),
            found,
            name,
            scope,
            keeper=member_named(keeper),
            partner=None if partner is None else partner_named(found, partner),
            days=days,
        )
        said = _said(made.service)
    first = f"{said['name']} works in {study} until {said['until']} ({said['service']}). Its token:"
    answer([first, made.token], said | {"token": made.token}, json=json)


@app.command("list")
def list_(
    workspace: Workspace,
    study: Annotated[str | None, typer.Option("--study", help="Of this study; of all when left out.")] = None,
    json: Json = False,
) -> None:
    """List the services that there are or were, with the day on which each was last used."""
    with at_work_in(workspace):
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.services.queries import services

        rows = [_said(each) for each in services(None if study is None else study_named(study))]
    lines = [
        f"{each['service']:<12} {each['study']:<24} {each['state']:<8} until {each['until']}, last used "
        f"{each['used'] or 'never'}: {each['name']} ({', '.join(each['scopes'])})"
        for each in rows
    ]
    answer(lines or ["There is no service yet."], {"services": rows}, json=json)


@app.command("end")
def end(
    workspace: Workspace,
    service: Annotated[int, typer.Argument(help="Its number, as `equipoise service list` shows it.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """End a service: its token works no more, from the next request on."""
    with at_work_in(workspace):
        from equipoise.platform.services.actions import end_service
        from equipoise.platform.services.queries import service_numbered
        from equipoise.platform.staff.actions import CommandLine

        found = service_numbered(service)
        end_service(CommandLine(), found)
    line = f"{found.name} has been ended ({found.actor})."
    answer([line], {"service": found.actor}, json=json, quiet=quiet)


def _said(service: "Service") -> dict[str, Any]:
    return {
        "service": service.actor,
        "study": service.study.name,
        "partner": service.partner and service.partner.name,
        "name": service.name,
        "scopes": service.scopes,
        "keeper": service.keeper.actor,
        "token_begins": service.token_begins,
        "state": service.standing,
        "until": service.expires_at.date().isoformat(),
        "used": service.used_on and service.used_on.isoformat(),
    }
