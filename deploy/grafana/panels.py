"""Panels, and the shapes of queries we use again and again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """One PromQL expression and how its series are named."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel. ``kind`` is Grafana's panel type, ``width`` of 24 columns; thresholds are (value, colour) pairs."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    says: str = ""
    thresholds: tuple[tuple[float, str], ...] = ()
    stacked: bool = False


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


def stat(title: str, expr: str, unit: str = "short", says: str = "", *thresholds: tuple[float, str]) -> Panel:
    """One number."""
    return Panel(title, (Query(expr),), unit, "stat", 4, says, thresholds)


def lines(title: str, *queries: Query, unit: str = "short", width: int = 8, says: str = "") -> Panel:
    """Lines over time."""
    return Panel(title, queries, unit, width=width, says=says)


def quantiles(metric: str, matchers: str = "", by: str = "") -> tuple[Query, ...]:
    """Median, 95th and 99th percentile of a histogram."""
    names = f"le, {by}" if by else "le"
    suffix = f" {{{{{by}}}}}" if by else ""
    rate = f"rate({metric}_bucket{matchers}[$__rate_interval])"
    levels = ((0.95, "p95"),) if by else ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    return tuple(Query(f"histogram_quantile({q}, sum by ({names}) ({rate}))", f"{name}{suffix}") for q, name in levels)


def per_second(metric: str, by: str, matchers: str = "", name: str = "") -> Query:
    """A counter's rate, by one label."""
    return Query(f"sum by ({by}) (rate({metric}{matchers}[$__rate_interval]))", f"{name} {{{{{by}}}}}".strip())
