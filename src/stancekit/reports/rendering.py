"""Templates into text: HTML with everything escaped, Markdown and TeX with their own escapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$])")
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": r"$-$",
    "→": r"$\to$",
} | {c: f"\\{c}" for c in "&%$#_{}"}


def markdown(value: Any) -> str:
    """Escape text for Markdown: one line, and no sign of it is taken for markup."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(value).split()))


def tex(value: Any) -> str:
    """Escape text for TeX."""
    return "".join(_TEX.get(c, c) for c in " ".join(str(value).split()))


def number(value: float | None, signed: bool = False) -> str:
    """Write a figure with three digits after the point, or a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:+.3f}".replace("-", "−") if signed else f"{value:.3f}"


def count(value: float) -> str:
    """Write a count with thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("stancekit.reports", "templates"),
        autoescape=jinja2.select_autoescape(["html"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": markdown, "tex": tex, "number": number, "count": count}
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    return environment


_ENVIRONMENT = _environment()


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Return a template filled with facts; the same facts give the same text."""
    return _ENVIRONMENT.get_template(template).render(**facts)
