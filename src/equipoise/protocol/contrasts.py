"""Contrasts: which arms, or cells of several factors, are compared, and with what weights.

messages - control                                   two arms
(a + b) / 2 - control                                an average against an arm; weights are exact fractions
incentive.100 - incentive.0                          a factor's levels, averaged over the other factors
incentive x bonus                                    the interaction of two factors of two levels each
ethnicity.black - ethnicity.white within presented.joint
each - control, all pairs                            shorthands for several contrasts (`expand_contrasts`)
main=messages then second=call if !answered(checkin) a strategy: kept as written, not yet analysed
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from equipoise.errors import DesignError, ProtocolError, nearest

__all__ = ["Cell", "Contrast", "expand_contrasts", "parse_contrast"]

Cell = tuple[tuple[str, str], ...]
_Weights = dict[Cell, Fraction]

LONGEST = 1_000
DEEPEST = 20
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<name>[a-z][a-z0-9_]*(?:\.(?:[A-Za-z0-9_]+|'[^']*'|"[^"]*"))?)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<sign>[-+*/()×−])
    | (?P<other>\S)
    )""",
    re.VERBOSE,
)
_STRATEGY = re.compile(r"(?<![a-z0-9_])[0-9_]*[a-z][a-z0-9_]*\s*=\s*[a-z0-9_]+")


@dataclass(frozen=True)
class Contrast:
    """A comparison of cells whose weights sum to zero.

    `cells` are sorted; each is a sorted tuple of (factor, level), and a factor that it does not name is
    averaged over as randomised. `strategies` holds the text of a comparison of strategies, which has no
    cells and is not yet supported.
    """

    text: str
    cells: tuple[tuple[Cell, Fraction], ...]
    strategies: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether this version can estimate it."""
        return not self.strategies

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that it names, sorted."""
        return tuple(sorted({factor for cell, _ in self.cells for factor, _ in cell}))

    def weights(self, arms: Sequence[str]) -> tuple[Fraction, ...]:
        """The weight of each arm, for a contrast of one factor.

        Raises:
            DesignError: it names several factors, or an arm that is not among `arms`.
        """
        if len(self.factors) != 1:
            named = ", ".join(self.factors) or "strategies"
            raise DesignError(
                f'the contrast "{self.text}" is not one of the arms of a single factor, but of: {named}'
            )
        by_arm = {level: weight for ((_, level),), weight in self.cells}
        for arm in by_arm:
            if arm not in arms:
                raise DesignError(
                    f'the contrast "{self.text}" names the arm "{arm}". Arms: {nearest(arm, arms)}'
                )
        return tuple(by_arm.get(arm, Fraction(0)) for arm in arms)


def parse_contrast(text: str, factors: Mapping[str, Sequence[str]], default_factor: str) -> Contrast:
    """Read one contrast.

    Args:
        text: as written in the protocol.
        factors: levels by factor.
        default_factor: the factor that a bare arm is a level of.
    Raises:
        ProtocolError: the text cannot be read, names something unknown, does not sum to zero, or is a
            shorthand for several contrasts.
    """
    contrasts = expand_contrasts(text, factors, default_factor)
    if len(contrasts) != 1:
        listed = ", ".join(contrast.text for contrast in contrasts)
        raise ProtocolError(
            f'"{text}" is short for {len(contrasts)} contrasts where one is wanted. Write one of: {listed}'
        )
    return contrasts[0]


def expand_contrasts(text: str, factors: Mapping[str, Sequence[str]], default_factor: str) -> list[Contrast]:
    """Read a contrast or a shorthand: `each - control`, `each - f.level`, `all pairs`, `all pairs of f`.

    `each` is every other level in the order declared; a pair is the later level minus the earlier.

    Raises:
        ProtocolError: as `parse_contrast`.
    """
    if _STRATEGY.search(text):
        return [_strategies(text)]
    tokens = _tokens(text)
    head, tail = _before_within(tokens)
    if head[:2] == ["each", "-"] and "each" not in factors.get(default_factor, ()):
        written = _each(text, head, factors, default_factor)
    elif head[:2] == ["all", "pairs"]:
        written = _pairs(text, head, factors, default_factor)
    else:
        return [_Reading(text, tokens, factors, default_factor).contrast()]
    return [_Reading(text, _tokens(one) + tail, factors, default_factor).contrast() for one in written]


def _each(text: str, head: list[str], factors: Mapping[str, Sequence[str]], default_factor: str) -> list[str]:
    if len(head) != 3:
        raise ProtocolError(f'"{text}" cannot be read: `each - ARM` takes one arm, such as `each - control`.')
    reader = _Reading(text, head[2:], factors, default_factor)
    ((factor, base),) = reader.cell(head[2])
    others = [level for level in factors[factor] if level != base]
    if not others:
        raise ProtocolError(f'"{text}" compares nothing: "{base}" is the only level of {factor}.')
    return [f"{_term(factor, level, default_factor)} - {head[2]}" for level in others]


def _pairs(
    text: str, head: list[str], factors: Mapping[str, Sequence[str]], default_factor: str
) -> list[str]:
    factor = default_factor
    if len(head) == 4 and head[2] == "of":
        factor = head[3]
    elif len(head) != 2:
        raise ProtocolError(f'"{text}" cannot be read: write `all pairs` or `all pairs of FACTOR`.')
    if factor not in factors:
        raise ProtocolError(
            f'"{factor}" in "{text}" is not a factor. Factors: {nearest(factor, sorted(factors))}'
        )
    pairs = combinations([_term(factor, level, default_factor) for level in factors[factor]], 2)
    written = [f"{later} - {earlier}" for earlier, later in pairs]
    if not written:
        raise ProtocolError(f'"{text}" compares nothing: {factor} has only one level.')
    return written


def _term(factor: str, level: str, default_factor: str) -> str:
    if factor == default_factor and re.fullmatch(r"[a-z][a-z0-9_]*", level):
        return level
    return f"{factor}.{level}" if re.fullmatch(r"[A-Za-z0-9_]+", level) else f"{factor}.'{level}'"


def _strategies(text: str) -> Contrast:
    written = " ".join(text.split())
    parts = tuple(
        part.strip(" ()") if part.strip().startswith("(") else part.strip() for part in written.split(" - ")
    )
    return Contrast(written, (), parts)


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise ProtocolError(f"a contrast of {len(text):,} characters; at most {LONGEST:,} are read.")
    tokens = []
    for match in _TOKEN.finditer(text.rstrip()):
        if match["other"]:
            allowed = "arms, factor.level, numbers, + - * / ( ), `x` and `within`"
            raise ProtocolError(
                f'"{match["other"]}" in "{text}" is no part of a contrast. Allowed: {allowed}.'
            )
        tokens.append(match[0].strip().replace("×", "x").replace("−", "-"))
    if not tokens:
        raise ProtocolError("an empty contrast; write one such as `messages - control`.")
    return tokens


def _before_within(tokens: list[str]) -> tuple[list[str], list[str]]:
    at = tokens.index("within") if "within" in tokens else len(tokens)
    return tokens[:at], tokens[at:]


class _Reading:
    """One pass over the tokens of a contrast, computing weights. A plain number is the weight of no cell."""

    def __init__(
        self, text: str, tokens: Sequence[str], factors: Mapping[str, Sequence[str]], default_factor: str
    ) -> None:
        self.text, self.tokens, self.factors, self.default = text, list(tokens), factors, default_factor
        self.place = 0
        self.depth = 0

    def contrast(self) -> Contrast:
        weights = self._bounded()
        if self.place < len(self.tokens):
            raise self._refusal(f'"{self.tokens[self.place]}" was not expected here')
        if () in weights:
            raise self._refusal("a bare number stands among the arms; numbers only multiply or divide arms")
        kept = {cell: weight for cell, weight in weights.items() if weight}
        if not kept:
            raise self._refusal("it compares nothing: every weight is zero")
        total = sum(kept.values())
        if total:
            raise self._refusal(
                f"its weights sum to {total}, and those of a contrast sum to zero, as in `messages - control`"
            )
        return Contrast(_spaced(self.tokens), tuple(sorted(kept.items())))

    def cell(self, term: str) -> Cell:
        """The cell that `arm` or `factor.level` names."""
        factor, dot, level = term.partition(".")
        if not dot:
            factor, level = self.default, term
        level = level.strip("'\"")
        if factor not in self.factors:
            raise self._refusal(
                f'"{factor}" is not a factor. Factors: {nearest(factor, sorted(self.factors))}', ""
            )
        if level not in self.factors[factor]:
            what = "an arm" if factor == self.default else f"a level of {factor}"
            plural = "Arms" if factor == self.default else "Levels"
            raise self._refusal(
                f'"{level}" is not {what}. {plural}: {nearest(level, list(self.factors[factor]))}', ""
            )
        return ((factor, level),)

    def _bounded(self) -> _Weights:
        weights = self._sum()
        if self._takes("within"):
            weights = self._crossed(weights, {self._conditions(): Fraction(1)})
        return weights

    def _conditions(self) -> Cell:
        cells = self.cell(self._name("a level to look within, such as `within presented.joint`"))
        while self._takes("and"):
            (further,) = self.cell(self._name("a further level after `and`"))
            if further[0] in dict(cells):
                raise self._refusal(f"`within` names {further[0]} twice")
            cells = (*cells, further)
        return tuple(sorted(cells))

    def _sum(self) -> _Weights:
        weights = self._product()
        while sign := self._takes("+", "-"):
            further = self._product()
            weights = _added(weights, further, Fraction(1 if sign == "+" else -1))
        return weights

    def _product(self) -> _Weights:
        weights = self._factor()
        while sign := self._takes("*", "/", "x"):
            if sign == "x":
                weights = self._crossed(self._effect(weights), self._effect(self._factor()))
                continue
            further = self._factor()
            weights = self._scaled(weights, further, sign)
        return weights

    def _scaled(self, left: _Weights, right: _Weights, sign: str) -> _Weights:
        if sign == "*" and set(left) == {()}:
            left, right = right, left
        if set(right) != {()}:
            raise self._refusal(f"`{sign}` needs a number beside it; an interaction is written with `x`")
        by = right[()]
        if sign == "/" and not by:
            raise self._refusal("it divides by zero")
        return {cell: weight * by if sign == "*" else weight / by for cell, weight in left.items()}

    def _factor(self) -> _Weights:
        if self._takes("-"):
            self._deeper()
            weights = {cell: -weight for cell, weight in self._factor().items()}
            self.depth -= 1
            return weights
        if self._takes("("):
            self._deeper()
            weights = self._bounded()
            if not self._takes(")"):
                raise self._refusal("a bracket is not closed")
            self.depth -= 1
            return weights
        if self.place < len(self.tokens) and self.tokens[self.place][0].isdigit():
            self.place += 1
            return {(): Fraction(self.tokens[self.place - 1])}
        name = self._name("an arm")
        if self._names_factor(name):
            return {((name, ""),): Fraction(1)}
        return {self.cell(name): Fraction(1)}

    def _names_factor(self, name: str) -> bool:
        beside = {self.tokens[at] for at in (self.place - 2, self.place) if 0 <= at < len(self.tokens)}
        return name in self.factors and "x" in beside and name not in self.factors.get(self.default, ())

    def _effect(self, weights: _Weights) -> _Weights:
        """A bare factor of two levels beside `x` is its second level minus its first."""
        (first, *others) = weights
        if others or not first or first[0][1]:
            if sum(weights.values()) or () in weights:
                raise self._refusal("each side of `x` is a factor, or a contrast in brackets")
            return weights
        factor = first[0][0]
        levels = list(self.factors[factor])
        if len(levels) != 2:
            pair = f"({_term(factor, levels[-1], '')} - {_term(factor, levels[0], '')})"
            raise self._refusal(
                f"{factor} has {len(levels)} levels ({', '.join(levels)}), so `x` does not say which; "
                f"write the pair in its place, such as `{pair}`"
            )
        return {((factor, levels[1]),): Fraction(1), ((factor, levels[0]),): Fraction(-1)}

    def _crossed(self, left: _Weights, right: _Weights) -> _Weights:
        crossed: _Weights = {}
        for one, weight in left.items():
            for other, further in right.items():
                shared = {factor for factor, _ in one} & {factor for factor, _ in other}
                if shared:
                    raise self._refusal(f"it crosses {', '.join(sorted(shared))} with itself")
                if not one:
                    raise self._refusal("`within` needs arms before it")
                crossed = _added(crossed, {tuple(sorted((*one, *other))): weight * further}, Fraction(1))
        return crossed

    def _takes(self, *tokens: str) -> str | None:
        if self.place < len(self.tokens) and self.tokens[self.place] in tokens:
            self.place += 1
            return self.tokens[self.place - 1]
        return None

    def _name(self, wanted: str) -> str:
        found = self.tokens[self.place] if self.place < len(self.tokens) else None
        if found is None or not found[0].isalpha():
            raise self._refusal(
                f"{f'{chr(34)}{found}{chr(34)}' if found else 'its end'} stands where {wanted} was expected"
            )
        self.place += 1
        return found

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refusal(f"its brackets are more than {DEEPEST} deep")

    def _refusal(self, message: str, end: str = ".") -> ProtocolError:
        return ProtocolError(f'the contrast "{" ".join(self.text.split())}" cannot be used: {message}{end}')


def _added(left: _Weights, right: _Weights, by: Fraction) -> _Weights:
    added = dict(left)
    for cell, weight in right.items():
        added[cell] = added.get(cell, Fraction(0)) + by * weight
    return added


def _spaced(tokens: Iterable[str]) -> str:
    """Tokens with single spaces, none inside brackets or after a sign that stands before its operand."""
    text, before = "", "("
    for word in tokens:
        glued = word == ")" or before in ("(", "unary")
        text += word if glued or not text else f" {word}"
        before = "unary" if word == "-" and before in ("(", "+", "-", "*", "/", "x", "unary") else word
    return text
