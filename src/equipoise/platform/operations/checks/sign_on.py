"""Whether the provider by which staff sign in can be reached, and is the one that the settings name."""

from collections.abc import Iterator

from allauth.socialaccount.providers.oauth2.client import OAuth2Error

from equipoise.platform.operations.checks.finding import Finding, good, wrong
from equipoise.platform.staff.provider import greet
from equipoise.platform.workspace import Workspace

__all__ = ["provider"]


def provider(workspace: Workspace) -> Iterator[Finding]:
    """Ask the provider what it says of itself, by TLS; nobody is signed in. Nothing where none is named."""
    named = workspace.settings.sign_in.oidc
    if named is None:
        return
    try:
        back = greet()
    except OAuth2Error as error:
        remedy = f"give sign-in.oidc.server as {named.name} writes its issuer"
        yield wrong("sign-in", f"{named.name} answers, but {error}", remedy)
    except OSError as error:
        said = f"{named.name} cannot be asked ({type(error).__name__})"
        yield wrong("sign-in", said, "look at sign-in.oidc.server in workspace.yaml, and at the way there")
    else:
        yield good("sign-in", f"{named.name} answers; it must send people back to {back}")
