"""The points in time that an analysis looks at: a wave, each wave, an average of waves, a slope over them."""

import re

__all__ = ["SLOPE", "points_of", "written_point"]

SLOPE = "slope"
_AVERAGE = re.compile(r"^average\s*[\[(]\s*(.*?)\s*[\])]$")


def points_of(point: str) -> tuple[str, ...]:
    """The waves that a point names; none for `each` and `slope`, which mean all of the outcome's waves.

    >>> points_of("average(after, later)")
    ('after', 'later')
    """
    if point in ("each", SLOPE):
        return ()
    found = _AVERAGE.match(point)
    return tuple(wave.strip() for wave in found[1].split(",")) if found else (point,)


def written_point(point: str) -> str:
    """A point as findings write it, whatever brackets and spaces the protocol has.

    >>> written_point("average(after,later)")
    'average [after, later]'
    """
    waves = points_of(point)
    return f"average [{', '.join(waves)}]" if len(waves) > 1 else point
