"""What the web server calls. EQUIPOISE_WORKSPACE names the workspace."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from equipoise.platform.processes import end_with, heed_the_stop

__all__ = ["application", "loaded"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "equipoise.platform.settings")
_django = get_wsgi_application()
_log = logging.getLogger("equipoise.serving")
_FAILED = b"Something went wrong on our side. Pages that you saved are safe. Try again in a few minutes.\n"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request.

    A page that is whole is handed over as one, so that the server can say how long it is and need not ask for
    it piece by piece. What fails here failed in the page for failures, too: it is logged without its values.
    """
    try:
        response = _django(environ, start_response)
    except Exception:
        _log.exception("no page could be made")
        start_response("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
        return [_FAILED]
    if response.streaming:
        return response
    try:
        return [response.content]
    finally:
        response.close()


def loaded(parent: int, within: int, _: str) -> Callable[..., Iterable[bytes]]:
    """The application in a process of the server, which ends with the server.

    Args:
        parent: the number of the server's own process.
        within: seconds for the requests that are being answered at the stop.
    """
    end_with(parent)
    heed_the_stop(within=within)
    _ = get_resolver().url_patterns  # everything is imported now, and not while somebody waits
    return application
