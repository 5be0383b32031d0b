"""The Jinja environment in which every page is written.

A name that a template uses and nobody gave is an error, not an empty place. The macros of
govuk-frontend-jinja count on the opposite (they ask for options that were not given), so they alone are
compiled leniently.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import (
    BaseLoader,
    ChainableUndefined,
    ChoiceLoader,
    Environment,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
)

from equipoise.platform.pages import filters
from equipoise.platform.pages.fields import id_of
from equipoise.platform.pages.prose import prose
from equipoise.platform.pages.words import words_for
from equipoise.protocol.faults import plain_number

__all__ = ["PageEnvironment", "environment"]

_MACROS = "govuk_frontend_jinja"


class PageEnvironment(Environment):
    """Strict about names in our templates, lenient inside the macros of `govuk_frontend_jinja`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._macros = Environment(
            loader=PrefixLoader({_MACROS: PackageLoader(_MACROS)}),
            autoescape=True,
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:
        if name.startswith(_MACROS + "/"):
            return self._macros.get_template(name)
        return super()._load_template(name, globals)


def environment(**options: Any) -> PageEnvironment:
    """The environment for Django's Jinja2 backend (`OPTIONS["environment"]`), or for a test.

    Args:
        options: those of `jinja2.Environment`; a `loader` is asked before the layouts of this package, and
            escaping and strictness cannot be turned off.
    Returns:
        An environment with the globals `url`, `static`, `words_for` and `id_of`, and the filters `moment`,
        `day`, `iso`, `number`, `plain` and `prose`.
    """
    loaders: list[BaseLoader] = [PackageLoader("equipoise.platform.pages")]
    if isinstance(options.get("loader"), BaseLoader):
        loaders.insert(0, options["loader"])
    page_options = {"trim_blocks": True, "lstrip_blocks": True, **options}
    page_options |= {"loader": ChoiceLoader(loaders), "autoescape": True, "undefined": StrictUndefined}
    made = PageEnvironment(**page_options)
    made.globals |= {"url": _url, "static": _static, "words_for": words_for, "id_of": id_of}
    made.filters |= _filters()
    return made


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "day": filters.day,
        "iso": filters.iso,
        "moment": filters.moment,
        "number": filters.number,
        "plain": plain_number,
        "prose": prose,
    }


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    """`url("study", study.id)`: the address of a page by its name."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def _static(path: str) -> str:
    """The address of a file that pages need.

    The page that says that something went wrong must itself not fail where the list of files is missing.
    """
    try:
        return str(static(path))
    except ValueError:
        return f"/static/{path}"
