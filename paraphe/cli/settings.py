"""``paraphe settings``: what can be set."""

from typing import Annotated

import typer


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/settings.md.")] = False,
) -> None:
    """List every setting: its environment variable, its default, what it is for."""
    from paraphe.settings_reference import as_markdown, as_text

    typer.echo(as_markdown() if markdown else as_text())
