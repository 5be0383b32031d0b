"""The checks of `equipoise doctor`, each a line or more; where one fails, the others go on."""

from collections.abc import Callable, Iterator

from equipoise.errors import EquipoiseError
from equipoise.platform.operations.checks.finding import Finding, wrong
from equipoise.platform.workspace import Workspace, activate

__all__ = ["Finding", "examine"]

Check = Callable[[Workspace], Iterator[Finding]]


def examine(workspace: Workspace) -> Iterator[Finding]:
    """Look at a workspace; nothing in it changes.

    Args:
        workspace: opened; Django need not be ready, and cannot be where a key is missing.
    """
    from equipoise.platform.operations.checks import folder

    for check in (folder.safe_to_serve, folder.room, folder.worker, folder.sending, folder.style_sheets):
        yield from _done(check, workspace)
    try:
        activate(workspace)
    except EquipoiseError as error:
        said = f"the rest was not looked at: {str(error).splitlines()[0]}"
        yield wrong("database", said, "put this right first")
        return
    yield from _inside(workspace)


def _inside(workspace: Workspace) -> Iterator[Finding]:
    from equipoise.platform.operations.checks import database, mail, media, messages, notify, sign_on, studies

    found = list(_done(database.there, workspace))
    yield from found
    if all(each.state == "good" for each in found):
        for check in (
            database.durable,
            database.tables,
            database.clock,
            database.keys,
            database.seals,
            studies.folders,
            studies.waves,
            studies.deletions,
            messages.carriers,
            messages.due_and_sent,
        ):
            yield from _done(check, workspace)
    for check in (mail.mail_server, mail.sender_domain, notify.notify, sign_on.provider, media.copies):
        yield from _done(check, workspace)


def _done(check: Check, workspace: Workspace) -> Iterator[Finding]:
    """What fails on the way is told by its kind alone: its words may hold what somebody wrote."""
    from django.db import DatabaseError

    try:
        yield from check(workspace)
    except (DatabaseError, EquipoiseError, OSError) as error:
        said = f"this could not be looked at ({type(error).__name__})"
        yield wrong(check.__name__.replace("_", " "), said, "`equipoise verify WORKSPACE` may say more")
