"""A picture of a bench: lines over a logarithmic axis, as SVG, for the docs."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 40, 48
COLOURS = ("#1f6feb", "#d1570a", "#2da44e")

Points = Sequence[tuple[float, float]]


def svg(title: str, along: str, up: str, lines: Mapping[str, Points]) -> str:
    """Return a line chart. lines: name -> (x, y); x > 0, on a logarithmic axis of powers of ten; y from 0 on."""
    xs = [log10(x) for points in lines.values() for x, _ in points]
    top = max(y for points in lines.values() for _, y in points) * 1.25 or 1.0
    low, span = min(xs), (max(xs) - min(xs)) or 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (log10(x) - low) / span * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(along)}</text>',
        f'<text transform="translate(14,{HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>',
    ]
    for step in range(6):
        value = top * step / 5
        _, y = at(10**low, value)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.0f}</text>')
    for power in range(round(low), round(low + span) + 1):
        x, y = at(10.0**power, 0)
        parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{10**power:,}</text>')
    for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
        spots = [at(*point) for point in points]
        parts.append(
            f'<path d="M{" L".join(f"{x} {y}" for x, y in spots)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in spots]
        x, y = spots[-1]
        parts.append(f'<text x="{x + 8}" y="{y + 4}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
