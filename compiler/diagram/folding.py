"""Which blocks are expanded: those that the options name, else those that fit a page."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import field

from compiler.dataclass import dataclass
from compiler.diagram.error_overlay import ErrorOverlay
from compiler.diagram.main_path import height
from compiler.diagram.options import DiagramOptions
from compiler.diagram.views import MAX_LAYERS, ScopeView
from compiler.ir.graph import Scope

_PAGE_HEIGHT = 34  # boxes from top to bottom
_PAGE_BOXES = 100
MAX_BOXES = 300
"""Boxes of a picture, as far as blocks and networks are chosen for it: in a second, all formats are laid out."""
_MAX_LISTED = 6  # layers that one box lists


@dataclass
class _BlockExpander:
    options: DiagramOptions
    errors: ErrorOverlay
    drawn: int
    """Boxes drawn so far."""
    leaves: bool = False
    """Whether blocks without inner blocks are expanded too, as far as there is space left."""
    expansions: Counter[int] = field(default_factory=Counter)
    """How often each scope is expanded, by its id."""

    def expand(self, waiting: deque[ScopeView]) -> None:
        """Expand blocks in the given views and in what is expanded, outer blocks first."""
        while waiting:
            view = waiting.popleft()
            for name in view.visible_layers:
                if name in view.children:
                    continue
                child = self._expanded(view, name)
                if child is not None:
                    view.children[name] = child
                    self.expansions[id(child.scope)] += 1
                    self.drawn += len(child.visible_layers)
                    waiting.append(child)

    def _expanded(self, view: ScopeView, name: str) -> ScopeView | None:
        child = view.openable(name)
        if child is None:
            return None
        scope = child.scope
        if len(scope.inputs) > MAX_LAYERS:
            return None
        if self.drawn + min(len(scope.nodes), MAX_LAYERS) > MAX_BOXES:
            return None
        if {name, scope.name} & self.options.fold:
            return None
        named = {name, scope.name} & self.options.expand
        if named or self._is_wanted(view, child):
            return child
        return None

    def _is_wanted(self, view: ScopeView, child: ScopeView) -> bool:
        if self.options.depth is not None:
            return view.depth < self.options.depth
        if self.errors.inside(view, view.layer(child.name)):
            return True
        if is_short_list(child.scope) or (_is_leaf(child.scope) and not self.leaves):
            return False
        if self.expansions[id(child.scope)] > _nesting(child):
            return False  # it is expanded elsewhere, not only around itself
        return self._fits(view, child)

    def _fits(self, view: ScopeView, child: ScopeView) -> bool:
        if self.drawn + len(child.visible_layers) > _PAGE_BOXES:
            return False
        view.children[child.name] = child
        fits = height(view.root) <= _PAGE_HEIGHT
        del view.children[child.name]
        return fits


def expand_blocks(
    roots: list[ScopeView], options: DiagramOptions, errors: ErrorOverlay
) -> None:
    """Add to the views' `children` the blocks that the options name, or else those that fit a page.

    Outer blocks come first, and each block is expanded once; a recursive block is expanded once a level. Blocks that
    contain blocks come before those that contain ops alone. A block with an error in it is always expanded.
    """
    drawn = sum(len(root.visible_layers) for root in roots)
    expander = _BlockExpander(options, errors, drawn)
    expander.expand(deque(roots))
    if options.depth is None:
        expander.leaves = True
        expander.expand(deque(view for root in roots for view in root.walk()))


def is_short_list(scope: Scope) -> bool:
    """Whether a scope is a short list of ops, which one box can show."""
    return (
        scope.chain
        and len(scope.nodes) <= _MAX_LISTED
        and not any(isinstance(node.target, Scope) for node in scope.nodes.values())
    )


def _is_leaf(scope: Scope) -> bool:
    return all(
        not isinstance(node.target, Scope) or is_short_list(node.target)
        for node in scope.nodes.values()
    )


def _nesting(view: ScopeView) -> int:
    """How many of the views around one are of the same block."""
    count, outer = 0, view.parent
    while outer is not None:
        count += outer.scope is view.scope
        outer = outer.parent
    return count
