"""The audit log's filters: what stands in the address, as a form shows it and as the database is asked."""

from collections.abc import Mapping

from services.gateway.web.query import DAYS, Query, period, texts
from shared.db.audit import Action, AuditFilter

FIELDS = ("q", "action", *DAYS)


def read_audit_query(parameters: Mapping[str, str]) -> Query[AuditFilter]:
    """Read the fields. What makes no sense there is left out: addresses are edited by hand, too."""
    values = texts(parameters, FIELDS)
    since, until = period(values)
    which = AuditFilter(
        part=values.get("q", ""),
        action=values["action"] if values.get("action") in set(Action) else None,
        since=since,
        until=until,
    )
    return Query(values, which)
