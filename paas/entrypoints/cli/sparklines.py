"""Numbers as a line of blocks, which a terminal shows like a small plot."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
GAP = " "


def sparkline(values: Sequence[float | None], top: float | None = None) -> str:
    """A block for each value, from 0 to the highest, or to `top`; a blank for None.

    Only 0 has the lowest block.
    """
    highest = top if top is not None else max((one for one in values if one is not None), default=0)
    return "".join(GAP if one is None else _block(one, highest) for one in values)


def _block(value: float, highest: float) -> str:
    if value <= 0 or highest <= 0:
        return _BLOCKS[0]
    above = len(_BLOCKS) - 1
    return _BLOCKS[min(above, max(1, round(value / highest * above)))]


def marks(positions: Sequence[tuple[int, str]], width: int) -> tuple[str, str]:
    """Two lines: a ▲ at each position, and below it its label where there is room for it."""
    points, labels, free = [GAP] * width, [GAP] * width, 0
    for position, label in sorted(positions):
        points[position] = "▲"
        begin = min(position, width - len(label))
        if begin >= free:
            labels[begin : begin + len(label)] = label
            free = begin + len(label) + 1
    return "".join(points).rstrip(), "".join(labels).rstrip()
