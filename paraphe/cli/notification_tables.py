"""How subscriptions, deliveries and alerts look at a terminal."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.markup import escape
from rich.table import Table

from paraphe.notification_answers import Delivery, Subscription
from shared.domain.alert import Alert

_COLOURS = {"delivered": "green", "failed": "bold red", "disabled": "dim", "firing": "bold red", "resolved": "green"}


def subscriptions_table(found: Iterable[Subscription]) -> Table:
    """One row a subscription."""
    table = _table("id", "to", "of", "state")
    for one in found:
        state = f"gone since {_time(one.disabled_at)}" if one.disabled_at else "on"
        to = f"{one.url} ({one.language})" if one.url.startswith("mailto:") else one.url
        table.add_row(one.id, escape(to), " ".join(one.kinds), state)
    return table


def deliveries_table(found: Iterable[Delivery]) -> Table:
    """One row a delivery, with what its last attempt came to."""
    table = _table("id", "made", "what", "to", "state", "attempts", "last answer")
    for one in found:
        state = _coloured(one.state)
        if one.next_attempt_at:
            state += f" [dim]until {_time(one.next_attempt_at)}[/]"
        table.add_row(
            one.id, _time(one.created_at), one.kind, escape(one.url), state, str(one.attempts), escape(one.said)
        )
    return table


def alerts_table(found: Iterable[Alert]) -> Table:
    """One row an alert."""
    table = _table("since", "until", "state", "severity", "alert", "what")
    for one in found:
        until = _time(one.ends_at) if one.ends_at else ""
        summary = escape(one.annotations.get("summary", ""))
        table.add_row(
            _time(one.starts_at), until, _coloured(one.state), escape(one.severity), escape(one.name), summary
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "made", "since", "until"))
    return table


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%m-%d %H:%M}"


def _coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/]" if colour else str(word)
