"""How different two colours look: to most people, to those without green cones, and in grey."""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

Triple = tuple[float, float, float]

# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
_DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> Triple:
    """The linear red, green and blue of `#rrggbb`, each from 0 to 1."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return red, green, blue


def without_green_cones(colour: Triple) -> Triple:
    """A linear colour as people with deuteranopia see it."""
    red, green, blue = (
        min(max(part, 0.0), 1.0) for part in _product(_DEUTERANOPIA, colour)
    )
    return red, green, blue


def in_grey(colour: Triple) -> Triple:
    """A linear colour without its hue: the grey of equal luminance."""
    luminance = _product(_TO_XYZ, colour)[1]
    return luminance, luminance, luminance


def lab(colour: Triple) -> Triple:
    """CIELAB of a linear colour, in daylight (D65)."""
    xyz = zip(_product(_TO_XYZ, colour), _WHITE, strict=True)
    x, y, z = (
        ratio ** (1 / 3) if ratio > 216 / 24389 else (24389 / 27 * ratio + 16) / 116
        for ratio in (part / white for part, white in xyz)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as the Web Content Accessibility Guidelines define it: from 1 to 21."""
    dark, light = sorted(_product(_TO_XYZ, linear(c))[1] for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def difference(one: Triple, other: Triple) -> float:
    """CIEDE2000 of two colours in CIELAB; 1 is about the least that is seen.

    Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula, 2005.
    """
    l1, a1, b1 = one
    l2, a2, b2 = other
    mean = (hypot(a1, b1) + hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * sqrt(mean**7 / (mean**7 + 25**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    chroma, light = (c1 + c2) / 2, (l1 + l2) / 2
    weight = 1 + sum(
        factor * cos(radians(times * hue - shift))
        for factor, times, shift in (
            (-0.17, 1, 30),
            (0.24, 2, 0),
            (0.32, 3, -6),
            (-0.2, 4, 63),
        )
    )
    by_light = (l2 - l1) / (
        1 + 0.015 * (light - 50) ** 2 / sqrt(20 + (light - 50) ** 2)
    )
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    bend = 60 * exp(-(((hue - 275) / 25) ** 2))
    rotation = -sin(radians(bend)) * 2 * sqrt(chroma**7 / (chroma**7 + 25**7))
    return sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)


def _product(matrix: tuple[Triple, Triple, Triple], vector: Triple) -> Triple:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z
