"""`equipoise study calendar`, `messages`: what a study sends when to how many, and letting it go out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.study import Name, Workspace
from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from equipoise.platform.delivery.planning.calendar import Row
    from equipoise.platform.delivery.planning.confirming import Unconfirmed

__all__ = ["calendar", "messages"]


def calendar(workspace: Workspace, study: Name, json: Json = False, quiet: Quiet = False) -> None:
    """List what goes out when and to how many, what became of it, and what takes too long for its carrier.

    Before the launch people are counted as they stand; before a draw, as its ratio lets expect.
    """
    with at_work_in(workspace), working("Counting", quiet=quiet or json):
        from equipoise.platform.delivery.planning.calendar import calendar as rows_of
        from equipoise.platform.delivery.planning.limits import limit_problems
        from equipoise.platform.registry.queries import folder_of, study_named
        from equipoise.protocol.occasions import zone_of

        found = study_named(study)
        zone = zone_of(folder_of(found).protocol)
        rows, warnings = rows_of(found), [str(problem) for problem in limit_problems(found)]
    lines = [_line(row, zone) for row in rows] or ["This study sends nothing."]
    said = {"study": study, "zone": str(zone), "occasions": [_said(row) for row in rows]}
    answer([*lines, *warnings], said | {"warnings": warnings}, json=json, quiet=quiet)


def messages(
    workspace: Workspace,
    study: Name,
    confirm: Annotated[bool, typer.Option("--confirm", help="Let what waits go out.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Confirm this one alone; can be given several times.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the messages that wait for a person: they are new, or an amendment or an upgrade changed them.

    Nothing of them goes out before it is confirmed. A launch confirms all that the study sends.
    """
    with at_work_in(workspace):
        from equipoise.platform.delivery.planning.confirming import confirm as let_go
        from equipoise.platform.delivery.planning.confirming import unconfirmed
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        found = study_named(study)
        waiting = unconfirmed(found)
        chosen = (only or [each.send.name for each in waiting]) if confirm else []
        if chosen:
            let_go(CommandLine(), found, chosen)
            waiting = unconfirmed(found)
    lines = [f"{study}: confirmed: {', '.join(chosen)}."] if chosen else []
    lines += [_waits(each) for each in waiting] or [f"{study}: nothing waits for a person."]
    if waiting:
        lines.append(f"Next: equipoise study messages {workspace} {study} --confirm")
    said = {"study": study, "confirmed": chosen, "waiting": [_waiting(each) for each in waiting]}
    answer(lines, said, json=json, quiet=quiet)


def _line(row: "Row", zone: "ZoneInfo") -> str:
    when = row.when or (f"{row.due.astimezone(zone):%Y-%m-%d %H:%M}" if row.due else "")
    about = f"{'about ' if row.estimated else ''}{row.people:,}"
    return f"{when:<18} {row.name:<28} {row.occasion:>3}  {row.send.channel:<6} {about:>12}  {_state(row)}"


def _state(row: "Row") -> str:
    """What became of it, and what keeps it from going out."""
    told = [f"{number:,} {state}" for state, number in sorted(row.states.items())]
    told += [f"{row.unknown:,} not known"] if row.unknown else []
    told += ["waits for a person"] if row.waits else []
    told += [] if row.carrier else ["nobody carries it"]
    told += ["never goes out: quiet hours"] if row.missed else []
    return ", ".join(told)


def _said(row: "Row") -> dict[str, Any]:
    return {
        "send": row.name,
        "occasion": row.occasion,
        "channel": row.send.channel,
        "carrier": row.carrier,
        "due": row.due.isoformat() if row.due else None,
        "last": row.last.isoformat() if row.last else None,
        "when": row.when,
        "people": row.people,
        "unknown": row.unknown,
        "estimated": row.estimated,
        "confirmed": row.confirmed,
        "waits": row.waits,
        "missed": row.missed,
        "states": dict(row.states),
    }


def _waits(each: "Unconfirmed") -> str:
    why = "changed since it was confirmed" if each.changed else "never confirmed"
    return f"{each.send.name} waits: {each.send.label}, by {each.send.channel}; {why}"


def _waiting(each: "Unconfirmed") -> dict[str, Any]:
    return {"send": each.send.name, "channel": each.send.channel, "changed": each.changed}
