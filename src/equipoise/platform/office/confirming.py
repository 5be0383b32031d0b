"""Acts that need a second look: a page that says what happens and, where that cannot be undone, asks for the
name of the thing and the reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in
from equipoise.platform.permissions import NotAllowedError

__all__ = ["confirmed_act"]

_FIELDS = ("reason", "round", "choice", "channel")


def confirmed_act(
    request: HttpRequest,
    page: Mapping[str, Any],
    *,
    thing: str,
    act: Callable[[str], object],
    done: str,
    onward: str,
    reason: bool = True,
) -> HttpResponse:
    """Ask, and on the right answer do it.

    Args:
        request: GET asks, POST does.
        page: values of `office/confirm.html`: `page_title`, `says` (what happens, in sentences), `button`,
            `back`, and more fields of its own (`fields`, HTML).
        thing: the name that has to be typed; empty for what can be undone, where the button is enough.
        act: does it, given the reason; what it refuses is shown.
        done: what the next page says.
        onward: the address of the next page.
        reason: whether a reason is asked for.
    """
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        if request.POST.get("name", "").strip() != thing:
            problems = [{"id": "name", "text": f"Type {thing} exactly, so that it is certain what is meant"}]
        else:
            try:
                act(request.POST.get("reason", ""))
            except NotAllowedError:
                raise
            except EquipoiseError as error:
                problems = problems_in(error, **{name: name for name in _FIELDS})
            else:
                messages.success(request, done)
                return HttpResponseRedirect(onward, status=303)
    values = {
        "thing": thing,
        "asks_reason": reason,
        "problems": problems,
        "typed": request.POST,
        "danger": True,
        "fields": "",
        **page,
    }
    return render(request, "office/confirm.html", values, status=422 if problems else 200)
