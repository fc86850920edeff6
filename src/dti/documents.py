"""YAML that people write: read without executing anything, every mistake told as one of YAML, with its line."""

from __future__ import annotations

from typing import Any

import yaml

MAX_DEPTH = 60
"""Lists in lists: no file of ours comes near, and beyond some hundreds the reader itself would fall over."""
MAX_NODES = 500_000
"""Values of a document, those that an alias repeats counted each time: ten lines of aliases can stand for a billion."""


class DocumentLoader(yaml.SafeLoader):
    """As SafeLoader, but whatever it trips over (the 30th of February, a number of ten thousand digits) is a YAMLError.

    So is a document that is nested too deep, that grows beyond all bounds by its aliases, or that holds itself.
    """

    _depth = _nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node; raises ComposerError where a bound is passed."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        before = self._nodes
        if isinstance(event, yaml.AliasEvent):
            node = super().compose_node(parent, index)
            self._grow(self._sizes().get(id(node), MAX_NODES), event)
            return node
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH}", event.start_mark)
        self._grow(1, event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._sizes()[id(node)] = self._nodes - before
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """One value; raises ConstructorError for a scalar that looks like a date or a number and is none."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError, KeyError, AttributeError) as fault:
            problem = f"{type(fault).__name__}: {str(fault)[:100]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def _grow(self, count: int, event: Any) -> None:
        self._nodes += count
        if self._nodes > MAX_NODES:
            problem = f"more than {MAX_NODES:,} values, or a value within itself"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)

    def _sizes(self) -> dict[int, int]:
        """How many values each finished node stands for; one that is not finished holds the alias that asks."""
        if "_finished" not in self.__dict__:
            self._finished: dict[int, int] = {}
        return self._finished


def load_yaml(text: str) -> Any:
    """The document in ``text``. Raises YAMLError, which knows the line, whatever is wrong with it."""
    return yaml.load(text, Loader=DocumentLoader)  # noqa: S506 - a SafeLoader  # nosec B506
