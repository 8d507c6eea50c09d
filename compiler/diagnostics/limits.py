"""Limits on the size of a spec, checked before the work is done."""

from __future__ import annotations

from compiler.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what a spec may require; the defaults suit untrusted files.

    Values are counts unless the name says otherwise. A pass that would exceed a limit
    reports it at the place that requires too much.
    """

    bytes: int = 2**20
    """Size of one file, in bytes of UTF-8."""
    depth: int = 64
    """Lists and mappings inside one another."""
    nodes: int = 40_000
    """Scalars, lists and mappings of one file."""
    characters: int = 131_072
    """Characters of the values of one file, keys not counted: formulas cost about as much as they are long."""
    scalar: int = 65_536
    """Characters of one scalar."""
    integer_bits: int = 63
    """Bits of an integer's magnitude: 63 is a signed 64-bit integer."""
    layers: int = 2_500
    """Layers, inputs, outputs and params of a file and of those that it imports, those of blocks once each."""
    inputs: int = 256
    """Inputs of one layer."""
    instances: int = 2_000
    """Block instances that inference visits."""
    runs: int = 20_000
    """Runs of layers that inference visits; copies that are alike are one."""
    nesting: int = 64
    """Block instances inside one another."""
    extends: int = 8
    """Specs that one extends: its base, that of the base, and so on."""
    repeat: int = 1_000_000
    proofs: int = 4_000_000
    """Parts of sizes that are looked at, to compare sizes; a few seconds."""


UNLIMITED = Limits(
    bytes=2**30,
    depth=256,
    nodes=50_000_000,
    characters=2**30,
    scalar=2**24,
    layers=10_000_000,
    inputs=100_000,
    instances=10_000_000,
    runs=100_000_000,
    nesting=256,
    extends=64,
    repeat=2**40,
    proofs=2**40,
)
"""For files of one's own. Depths stay small: passes recurse over what they bound."""
