"""YAML with places: values, the line of each of them, and no surprises (bombs, doubled keys)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stancekit.errors import StancekitError, fail
from stancekit.files import read_text

Keys = tuple[str | int, ...]
_LIMIT = 200_000
_BOOL = "tag:yaml.org,2002:bool"


@dataclass
class Document:
    """A parsed YAML file: its value and the line at which each key path stands."""

    path: Path
    value: Any
    lines: dict[Keys, int] = field(default_factory=dict)

    def where(self, keys: Keys = ()) -> str:
        """Return `file:line (key.path)` of a value, or of its nearest parent that stands in the file."""
        at = keys
        while at and at not in self.lines:
            at = at[:-1]
        dotted = ".".join(map(str, keys))
        return f"{self.path}:{self.lines.get(at, 1)}" + (f" ({dotted})" if dotted else "")


class _Loader(yaml.SafeLoader):
    """The safe loader; dates, and words such as yes, no, on, off (labels of many data sets), stay text.

    Numbers such as 1e-4, which YAML 1.1 takes for text, are numbers as in YAML 1.2.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag not in (_BOOL, "tag:yaml.org,2002:timestamp")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), [*"-+0123456789"]
)
_Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def load(path: Path) -> Document:
    """Read a YAML file."""
    return parse(read_text(path), path)


def parse(text: str, path: Path, first_line: int = 1) -> Document:
    """Parse YAML text that begins at `first_line` of `path`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document = Document(path, None, {(): first_line})
        if node is not None:
            _Walk(document, first_line).visit(node, (), frozenset())
            document.value = loader.construct_document(node)
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        raise fail(f"{path}:{line}", f"no valid YAML: {error.problem or error.context}", "mend the line") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise fail(path, f"no valid YAML: {str(error).splitlines()[0]}", "mend the file") from error
    finally:
        loader.dispose()


class _Walk:
    """Notes lines and refuses doubled keys and aliases that would unfold without end."""

    def __init__(self, document: Document, first_line: int) -> None:
        self.document, self.first_line, self.seen = document, first_line, 0

    def visit(self, node: yaml.Node, keys: Keys, above: frozenset[int]) -> None:
        self.seen += 1
        line = self.first_line + node.start_mark.line
        if self.seen > _LIMIT or id(node) in above:
            raise self._error(line, "aliases (&, *) unfold into too many values", "write the values out")
        self.document.lines.setdefault(keys, line)
        above = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, keys, above)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*keys, index), above)

    def _mapping(self, node: yaml.MappingNode, keys: Keys, above: frozenset[int]) -> None:
        names: set[str] = set()
        for key, value in node.value:
            line = self.first_line + key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(line, "a key must be plain text", "quote the key")
            if key.value in names:
                raise self._error(line, f"the key {key.value!r} stands twice", "keep one of them")
            names.add(key.value)
            self.document.lines[(*keys, key.value)] = line
            self.visit(value, (*keys, key.value), above)

    def _error(self, line: int, what: str, hint: str) -> StancekitError:
        return fail(f"{self.document.path}:{line}", what, hint)
