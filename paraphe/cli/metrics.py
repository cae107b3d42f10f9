"""``paraphe metrics``: what is measured."""

from typing import Annotated

import typer


def metrics(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/metrics.md.")] = False,
) -> None:
    """List every metric that the services show to Prometheus: its name, type, labels, what it means."""
    from paraphe.metrics_reference import as_markdown, as_text

    typer.echo(as_markdown() if markdown else as_text())
