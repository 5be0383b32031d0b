"""The order in which one participant meets a questionnaire: drawn once, stored before it is shown.

What is in random order (pages that change places, the blocks of a page, the items of a block, the choices of
a question) is put in the order of its numbers, smallest first. A number is HMAC-SHA256(key, message), read as
32 bytes, most significant first. The message, version 1, in UTF-8 (`0` stands for one zero byte, which no
name may hold):

    order 0 SURVEY 0 pages 0 0 PARTICIPANT 0 PAGE                the pages of all sets; a set keeps its places
    order 0 SURVEY 0 blocks 0 PAGE 0 PARTICIPANT 0 BLOCK         the blocks of a page
    order 0 SURVEY 0 items 0 BLOCK 0 PARTICIPANT 0 KEY           what is asked in a block
    order 0 SURVEY 0 choices 0 KEY 0 PARTICIPANT 0 CODE          the choices of a question

`order` is the name of the stream; its key comes from the allocation's seed, so nobody foretells an order. A
choice with a text beside it ("other") stays last. The order does not depend on the language, nor on what else
is random.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from equipoise.errors import InputError, Problem
from equipoise.protocol.asked import Asked, Block
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage

__all__ = ["Presentation", "arranged", "presentation"]

_KEY_BYTES = 32
_PARTS = ("blocks", "items", "choices")
Named = TypeVar("Named")


@dataclass(frozen=True)
class Presentation:
    """In which order a participant meets a survey: the pages, and by place what else was in random order.

    `blocks` are by page, `items` by block, `choices` by the key of the question.
    """

    survey: str
    pages: tuple[str, ...]
    blocks: Mapping[str, tuple[str, ...]]
    items: Mapping[str, tuple[str, ...]]
    choices: Mapping[str, tuple[str, ...]]

    def as_json(self) -> dict[str, Any]:
        """Plain data, to be stored."""
        parts = {
            part: {place: list(names) for place, names in getattr(self, part).items()} for part in _PARTS
        }
        return {"survey": self.survey, "pages": list(self.pages), **parts}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Presentation":
        """What `as_json` gave.

        Raises:
            InputError: it did not give this.
        """
        try:
            parts = {part: _orders(stored[part]) for part in _PARTS}
            return cls(str(stored["survey"]), tuple(map(str, stored["pages"])), **parts)
        except (KeyError, TypeError, AttributeError):
            raise InputError(Problem("", "presentation", "this is not a stored order of a survey")) from None


def presentation(questionnaire: Questionnaire, key: bytes, participant: str) -> Presentation:
    """Draw the order in which a participant meets a questionnaire.

    Args:
        questionnaire: the survey, in any language.
        key: 32 bytes of the stream `order`.
        participant: who, by the identifier that the study keeps.
    Raises:
        InputError: the key has another length.
    """
    if len(key) != _KEY_BYTES:
        raise InputError(Problem("", "key", f"found {len(key)} bytes, expected {_KEY_BYTES}"))
    draw = _Draw(key, questionnaire.survey, participant)
    blocks = [block for page in questionnaire.pages for block in page.blocks]
    asked = [one for block in blocks for one in block.asked]
    return Presentation(
        survey=questionnaire.survey,
        pages=draw.pages(questionnaire),
        blocks=_kept(
            {
                page.id: draw.order("blocks", page.id, [block.id for block in page.blocks])
                for page in questionnaire.pages
                if page.random_order
            }
        ),
        items=_kept(
            {
                block.id: draw.order("items", block.id, [one.key for one in block.asked])
                for block in blocks
                if block.random_order
            }
        ),
        choices=_kept({one.key: draw.choices(one) for one in asked if one.random_order}),
    )


def arranged(questionnaire: Questionnaire, presentation: Presentation) -> Questionnaire:
    """The questionnaire in the order of a presentation.

    What the presentation does not name (a page added since it was drawn) comes last, as the survey has it.
    """
    pages = {page.id: _page(page, presentation) for page in questionnaire.pages}
    return replace(questionnaire, pages=_in_order(pages, presentation.pages))


class _Draw:
    """The orders of one survey and one participant."""

    def __init__(self, key: bytes, survey: str, participant: str) -> None:
        self.key, self.survey, self.participant = key, survey, participant

    def order(self, part: str, place: str, names: Iterable[str]) -> tuple[str, ...]:
        def number(name: str) -> bytes:
            message = "\0".join(("order", self.survey, part, place, self.participant, name))
            return hmac.digest(self.key, message.encode(), "sha256")

        return tuple(sorted(names, key=number))

    def pages(self, questionnaire: Questionnaire) -> tuple[str, ...]:
        pages = [page.id for page in questionnaire.pages]
        for moving in questionnaire.random_pages:
            places = [place for place, page in enumerate(pages) if page in moving]
            drawn = self.order("pages", "", [pages[place] for place in places])
            for place, page in zip(places, drawn, strict=True):
                pages[place] = page
        return tuple(pages)

    def choices(self, asked: Asked) -> tuple[str, ...]:
        named = [choice.code for choice in asked.choices if not choice.other]
        last = [choice.code for choice in asked.choices if choice.other]
        return (*self.order("choices", asked.key, named), *last)


def _page(page: QuestionPage, presentation: Presentation) -> QuestionPage:
    blocks = {block.id: _block(block, presentation) for block in page.blocks}
    return replace(page, blocks=_in_order(blocks, presentation.blocks.get(page.id, ())))


def _block(block: Block, presentation: Presentation) -> Block:
    asked = {one.key: _asked(one, presentation) for one in block.asked}
    return replace(block, asked=_in_order(asked, presentation.items.get(block.id, ())))


def _asked(asked: Asked, presentation: Presentation) -> Asked:
    drawn = presentation.choices.get(asked.key)
    if drawn is None:
        return asked
    return replace(asked, choices=_in_order({choice.code: choice for choice in asked.choices}, drawn))


def _in_order(named: Mapping[str, Named], order: Iterable[str]) -> tuple[Named, ...]:
    first = [name for name in order if name in named]
    return tuple(named[name] for name in dict.fromkeys([*first, *named]))


def _kept(orders: dict[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(orders)


def _orders(stored: Mapping[str, Iterable[str]]) -> Mapping[str, tuple[str, ...]]:
    return _kept({str(place): tuple(map(str, names)) for place, names in stored.items()})
