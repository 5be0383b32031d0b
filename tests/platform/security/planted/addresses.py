"""Every address of the platform, read from the table of addresses itself, with something real in its places."""

import hashlib
import re

from django.db import connection
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern

__all__ = ["NOTED", "addresses", "everything_stored"]

# Tables in which a look may leave something, and what.
NOTED = {
    "django_session": "when a session began and when it was last used",
    "staff_staffsession": "when a browser was last used, so that its owner can tell which one it is",
}
_PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
_BY_KIND = {"int": "1", "path": "media/none.mp4", "uuid": "00000000-0000-4000-8000-000000000000"}


def addresses(world):
    """The address of each pattern, by its name, or by its route where it has none."""
    return {name: "/" + _filled(world, name, route) for name, route in _routes(get_resolver().url_patterns)}


def _routes(patterns, above=""):
    for each in patterns:
        route = above + _route(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _routes(each.url_patterns, route)
        else:
            yield each.name or route, route


def _route(pattern):
    if isinstance(pattern, RoutePattern):
        return str(pattern)
    return re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", str(pattern).strip("^$"))


def _filled(world, name, route):
    found = {
        "name": "swing",
        "key": world.people[0].key,
        "wave": "after",
        "to": "paused",
        "stage": "main",
        "what": "refused",
        "token": world.links[
            {"stop-link": "stop", "unsubscribe": "stop", "open-link": "open"}.get(name, "after")
        ].rpartition("/")[2],
        "code": world.links["session"].split("/")[2],
        "page": "wellbeing",
        "send": "weekly-message",
        "uidb36": "1",
    }
    if name.startswith("open-link-"):
        found["name"] = "diversity-in-hiring"
    return _PLACE.sub(lambda place: found.get(place[2], _BY_KIND.get(place[1], "x")), route)


def everything_stored():
    """A hash of every row of each table but those that a look may note something in."""
    said = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - set(NOTED)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} ORDER BY 1")  # noqa: S608 - our own names
            said[table] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return said
