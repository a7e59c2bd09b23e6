"""Paths of elements within a submodel: `Motor.Axes[2].Speed` (idShortPath, IDTA-01001 v3.1)."""

import re

from lineshaft.core.errors import Invalid

Steps = tuple[str | int, ...]
"""A path taken apart: a name (idShort) or the index within a list, from the submodel downwards."""

CHARACTERS_MAX = 16_384
"""Longest path that is read."""

# Wider than the rule for an idShort: an import keeps odd names, and they must be reachable.
_NAME = r"[^.\[\]/\x00-\x1f]+"
_STEP = re.compile(rf"\.?({_NAME})|\[(0|[1-9][0-9]{{0,8}})\]")


def parse_path(text: str) -> Steps:
    """The steps of a path.

    Raises:
        Invalid: empty, too long, or malformed; the message says where.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text) <= CHARACTERS_MAX:
        step = _STEP.match(text, at)
        # A dot stands between names and nowhere else: not at the start, always after an index.
        if step is None or (step[1] and (text[at] == ".") is not bool(steps)):
            break
        steps.append(step[1] or int(step[2]))
        at = step.end()
    if at != len(text) or not steps:
        raise Invalid(
            f"path {text[:80]!r} is malformed at character {at}",
            remedy="put dots between names, indices in brackets: Motor.Axes[2].Speed",
        )
    return tuple(steps)


def path_text(steps: Steps) -> str:
    """The path as text; empty for no steps."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps]
    return "".join(parts).removeprefix(".")
