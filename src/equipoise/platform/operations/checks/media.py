"""Whether the bucket of films and papers can be read, and holds what is served from it."""

from collections.abc import Iterator

from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.workspace import Workspace

__all__ = ["copies"]


def copies(workspace: Workspace) -> Iterator[Finding]:
    """Look for every file of every study in force."""
    said = workspace.settings.media
    if said is None:
        return
    from equipoise.platform.registry.media import lacking

    try:
        absent, of = lacking()
    except OSError as error:
        remedy = f"look at the address, the bucket and the keys in {said.key_from} and {said.secret_from}"
        yield wrong("media", f"the bucket {said.bucket} cannot be read ({error}); folders serve", remedy)
        return
    if absent:
        what = f"{absent} of {of} files are not in the bucket {said.bucket} yet; folders serve them"
        yield note("media", what, "let the worker run: it copies them within a minute")
    else:
        yield good("media", f"the bucket {said.bucket} has all {of} files")
