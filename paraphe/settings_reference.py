"""Every setting of every service, read off the settings classes themselves."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from shared.settings import PROJECT_ROOT

_MODULES = (
    "shared.settings",
    "shared.tracing",
    "services.gateway.settings",
    "services.gateway.web.settings",
    "services.detector.settings",
    "services.notifier.settings",
    "services.reconciler.settings",
)


def as_text() -> str:
    """For a terminal."""
    lines = []
    for group in groups():
        lines += ["", inspect.getdoc(group) or ""]
        lines += [f"  {name:<42} {default:<18} {description}" for name, default, description in _fields(group)]
    return "\n".join(lines)


def as_markdown() -> str:
    """The page ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Read from the environment when a service starts. Written by `paraphe settings --markdown`; do not edit.",
    ]
    for group in groups():
        lines += [
            "",
            f"## {group.__name__}",
            "",
            inspect.getdoc(group) or "",
            "",
            "| variable | default | |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in _fields(group)
        ]
    return "\n".join(lines)


def groups() -> Iterator[type[BaseSettings]]:
    """Every group of settings, each read from the environment when it is made."""
    for module in _MODULES:
        for value in vars(import_module(module)).values():
            if inspect.isclass(value) and issubclass(value, BaseSettings) and value.__module__ == module:
                yield value


def variable(group: type[BaseSettings], field: str) -> str:
    """The environment variable that a field is read from."""
    return f"{group.model_config.get('env_prefix', '')}{field}".upper()


def _fields(group: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    for name, field in group.model_fields.items():
        yield variable(group, name), _default(field.default, field.default_factory), field.description or ""


def _default(value: Any, factory: Any) -> str:
    if factory is not None:
        return "by machine"
    if value is PydanticUndefined:
        return "(required)"
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, Path):
        return str(value.relative_to(PROJECT_ROOT)) if value.is_relative_to(PROJECT_ROOT) else str(value)
    return "" if value is None or isinstance(value, SecretStr) else str(value)
