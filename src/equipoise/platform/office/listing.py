"""Lists that are narrowed, put in order and turned over by their address alone."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

__all__ = [
    "Leaf",
    "both_ways",
    "chosen_of",
    "leaf_of",
    "order_of",
    "sorted_columns",
    "whole_number",
]

_A_PAGE = 50  # rows


@dataclass(frozen=True)
class Leaf:
    """A page of a list: its number, the number of the last one, and which rows stand on it."""

    number: int
    last: int
    rows: slice

    def values(self, chosen: Mapping[str, str]) -> dict[str, Any]:
        """What a template needs to turn over, with what is chosen kept."""
        paged = urlencode({**chosen, "page": "{page}"}, safe="{}")
        return {"number": self.number, "last": self.last, "paged": f"?{paged}"}


def leaf_of(request: HttpRequest, count: int, a_page: int = _A_PAGE) -> Leaf:
    """The page that the address asks for, or the nearest that there is.

    Args:
        request: with the page's number, from 1, as `page`.
        count: rows of the whole list.
        a_page: rows of a page.
    """
    last = max(1, -(-count // a_page))
    number = min(max(1, whole_number(request.GET.get("page", ""), 1)), last)
    return Leaf(number, last, slice((number - 1) * a_page, number * a_page))


def chosen_of(request: HttpRequest, allowed: Mapping[str, Container[str]]) -> dict[str, str]:
    """What the address asks for, and only what there is.

    Args:
        request: what it asks, by name.
        allowed: the values that each name may have.
    """
    return {name: value for name, some in allowed.items() if (value := request.GET.get(name, "")) in some}


def both_ways(sorts: Iterable[str]) -> tuple[str, ...]:
    """The orders of a list: each name, and with a minus in front the other way round."""
    names = tuple(sorts)
    return (*names, *(f"-{name}" for name in names))


def order_of(sorts: Mapping[str, str], sort: str) -> str:
    """The field by which a query is put in order, with its minus."""
    return ("-" if sort.startswith("-") else "") + sorts[sort.removeprefix("-")]


def sorted_columns(
    columns: Iterable[tuple[str, str]], sorts: Container[str], chosen: Mapping[str, str], sort: str
) -> Iterator[dict[str, Any]]:
    """Columns for `data_table`; a heading that orders the list is a link, which turns the order round.

    Args:
        columns: key and heading.
        sorts: the keys of those that order the list.
        chosen: what the address asks for, kept by the links.
        sort: the order that the list has now.
    """
    for key, text in columns:
        if key not in sorts:
            yield {"key": key, "text": text}
            continue
        towards = f"-{key}" if sort == key else key
        order = {key: "ascending", f"-{key}": "descending"}.get(sort, "")
        url = f"?{urlencode({**chosen, 'sort': towards})}"
        yield {"key": key, "text": text, "sort_url": url, "sorted": order}


def whole_number(text: str, otherwise: int) -> int:
    """A number of at most eight digits that somebody sent, or what stands for anything else."""
    return int(text) if text.isdecimal() and len(text) < 9 else otherwise
