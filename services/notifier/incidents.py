"""Single critical errors: noted with what caused them, in one transaction, and told to administrators by mail."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from services.notifier.channels.answer import Answer
from services.notifier.settings import MailSettings
from shared.db import deliveries, incidents, keys
from shared.db.incidents import Incident, IncidentKind
from shared.domain.delivery import DueDelivery, Notice, NoticeKind
from shared.domain.errors import OUR_CODES
from shared.domain.events import Event, EventKind

_MAX_DETAIL = 300


class IncidentDesk:
    """Where incidents are reported. ``on_news`` is called once one is committed, so that the alert leaves at once."""

    def __init__(self, mail: MailSettings, on_news: Callable[[], None]) -> None:
        self._mail = mail
        self._on_news = on_news

    def jobs_failed(self, connection: Connection, recorded: Iterable[Event]) -> bool:
        """Note those of the events that tell of a job given up for a reason of ours; whether there are any."""
        given_up = [one for one in recorded if _is_given_up(one)]
        owners = {one.client_id for one in given_up}
        clients = {owner: keys.client(connection, owner).name for owner in owners}
        newest = {str(event.data["code"]): event for event in given_up}
        for code, event in sorted(newest.items()):  # in order: see was_mailed
            about = {
                "client": clients[event.client_id],
                "job_id": str(event.job_id),
                "at": event.occurred_at.isoformat(),
            }
            self._mail_once(connection, IncidentKind.JOB_GIVEN_UP, code, about, str(event.data["detail"]))
        incidents.note(connection, [_of_job(event, clients[event.client_id]) for event in given_up])
        return bool(given_up)

    def delivery_died(self, connection: Connection, due: DueDelivery, answer: Answer) -> None:
        """Note a delivery that was given up. Of mails to administrators none is told by mail."""
        detail = f"{due.receiver}: {_reason(answer)}"
        if due.client_id is not None:
            client = keys.client(connection, due.client_id).name
            detail = f"client {client}, {detail}"
            about = {
                "client": client,
                "delivery_id": str(due.id),
                "receiver": due.receiver,
                "at": datetime.now(UTC).isoformat(),
            }
            self._mail_once(connection, IncidentKind.DELIVERY_DEAD, due.channel, about, _reason(answer))
        incidents.note(connection, [Incident(IncidentKind.DELIVERY_DEAD, due.channel, due.id, detail[:_MAX_DETAIL])])

    def announce(self) -> None:
        """What was noted is committed."""
        self._on_news()

    def _mail_once(
        self, connection: Connection, kind: IncidentKind, code: str, about: dict[str, str], detail: str
    ) -> None:
        """One mail, not one for each of a thousand jobs that failed in the same hour for the same reason.

        The silence counts from the last mail, not from the last failure: what goes on failing is told again.
        """
        addresses = self._mail.admin_addresses
        if addresses and not incidents.was_mailed(connection, kind, code, within_s=self._mail.quiet_s):
            notice = Notice(NoticeKind(kind), {**about, "code": code, "detail": detail[:_MAX_DETAIL]})
            deliveries.notify(connection, notice, addresses, self._mail.admin_language)


def _is_given_up(event: Event) -> bool:
    """For a reason of ours; not of one that was erased meanwhile, whose text is gone: nobody can try it again."""
    return event.kind is EventKind.JOB_FAILED and event.data.get("code") in OUR_CODES and "detail" in event.data


def _of_job(event: Event, client: str) -> Incident:
    detail = f"client {client}, job {event.job_id}: {event.data['detail']}"[:_MAX_DETAIL]
    return Incident(IncidentKind.JOB_GIVEN_UP, str(event.data["code"]), event.job_id, detail)


def _reason(answer: Answer) -> str:
    return answer.error or f"answered {answer.status}"
