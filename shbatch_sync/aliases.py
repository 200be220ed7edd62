"""YAML aliases counted before they are followed: a few bytes must not become millions of values."""

from __future__ import annotations

from yaml.nodes import MappingNode, Node, ScalarNode

from shbatch_sync.yamltext import MAX_NODES

_UNFINISHED = -1


def multiplied(root: Node) -> Node | None:
    """Return the first node that contains itself, or stands for more values than a document may have."""
    return _measure(root, {})


def _measure(node: Node, sizes: dict[int, int]) -> Node | None:
    """Put the number of values that `node` stands for into `sizes`, or return the node that is too much."""
    sizes[id(node)] = _UNFINISHED
    total = 1
    for child in _children(node):
        size = sizes.get(id(child))
        if size is None:
            found = _measure(child, sizes)
            if found is not None:
                return found
            size = sizes[id(child)]
        if size == _UNFINISHED:
            return child
        total += size
    sizes[id(node)] = total
    return node if total > MAX_NODES else None


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [one for pair in node.value for one in pair]
    return [] if isinstance(node, ScalarNode) else list(node.value)
