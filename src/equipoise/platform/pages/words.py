"""What the platform itself says to people, in the languages that it speaks."""

from functools import cache
from importlib.resources import files
from typing import Any

from equipoise.protocol.reading import read_yaml

__all__ = ["LANGUAGES", "Words", "words_for"]

LANGUAGES = ("en", "cy")


class Words(dict[str, Any]):
    """The words of one language; `words["page_of"].format(page=2, pages=7)`.

    `words["language"]` is the value of the `lang` attribute of a page whose frame is in these words.
    """


@cache
def words_for(language: str) -> Words:
    """The words of a language by its tag; a language that the platform does not speak gets English.

    >>> words_for("cy")["back"], words_for("en-GB")["back"], words_for("fr")["back"]
    ('Yn ôl', 'Back', 'Back')
    """
    primary = language.split("-")[0].lower()
    name = f"{primary if primary in LANGUAGES else LANGUAGES[0]}.yaml"
    text = files("equipoise.platform.pages").joinpath("languages", name).read_text(encoding="utf-8")
    return Words(read_yaml(text, name).data)
