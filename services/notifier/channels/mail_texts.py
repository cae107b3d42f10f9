"""What mails say, in English and in French.

Deliberately little: mail is not confidential. No file name, no metadata, nothing read from a document; who wants more
follows the job's id.
"""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.delivery import EventMessage, Notice, NoticeKind
from shared.domain.events import EventKind
from shared.domain.subscription import Language

Texts = Mapping[Language, tuple[str, str]]
"""Subject and body, with places for what they tell."""

_EN, _FR = Language.ENGLISH, Language.FRENCH

_EVENTS: Mapping[EventKind, Texts] = {
    EventKind.JOB_SUCCEEDED: {
        _EN: ("Document examined: {verdict}", "The document has been examined: {verdict}.\nSignatures found: {count}"),
        _FR: (
            "Document examiné : {verdict}",
            "Le document a été examiné : {verdict}.\nSignatures trouvées : {count}",
        ),
    },
    EventKind.JOB_FAILED: {
        _EN: ("Document not examined: {code}", "The document could not be examined ({code}).\n{detail}"),
        _FR: ("Document non examiné : {code}", "Le document n’a pas pu être examiné ({code}).\n{detail}"),
    },
}
_OTHER_EVENT: Texts = {
    _EN: ("Paraphe: {kind}", "This has happened: {kind}."),
    _FR: ("Paraphe : {kind}", "Il s’est passé ceci : {kind}."),
}
_ABOUT_JOB = {
    _EN: "\n\nJob: {job_id}\nTime: {at}\n",
    _FR: "\n\nTâche : {job_id}\nDate : {at}\n",
}
_VERDICTS = {
    _EN: {"signed": "signed", "unsigned": "not signed", "review": "to be checked by a person"},
    _FR: {"signed": "signé", "unsigned": "non signé", "review": "à vérifier par une personne"},
}

_NOTICES: Mapping[NoticeKind, Texts] = {
    NoticeKind.JOB_GIVEN_UP: {
        _EN: (
            "[Paraphe] A job was given up: {code}",
            "A job has used up its attempts for a reason that is not the document's ({code}).\n{detail}\n\n"
            "Client: {client}\nJob: {job_id}\nTime: {at}\n\n"
            "More jobs may have failed for this reason, of other clients, too; for a while you are not told of each.\n"
            "A key is one client's. Make one:  paraphe keys create operators --client {client_argument}\n"
            "See them:   paraphe jobs list --status failed --key KEY\n"
            "Try again:  paraphe jobs replay {job_id} --key KEY\n",
        ),
        _FR: (
            "[Paraphe] Une tâche a été abandonnée : {code}",
            "Une tâche a épuisé ses essais pour une raison étrangère au document ({code}).\n{detail}\n\n"
            "Client : {client}\nTâche : {job_id}\nDate : {at}\n\n"
            "D’autres tâches, d’autres clients aussi, ont pu échouer pour la même raison ; "
            "vous n’êtes pas averti de chacune.\n"
            "Une clé est celle d’un client. En créer une :  paraphe keys create operators --client {client_argument}\n"
            "Les voir :    paraphe jobs list --status failed --key CLÉ\n"
            "Recommencer : paraphe jobs replay {job_id} --key CLÉ\n",
        ),
    },
    NoticeKind.DELIVERY_DEAD: {
        _EN: (
            "[Paraphe] A delivery to {receiver} was given up",
            "{receiver} has not taken a message, however often it was tried.\n{detail}\n\n"
            "Client: {client}\nDelivery: {delivery_id}\nTime: {at}\n\n"
            "A key is one client's. Make one:  paraphe keys create operators --client {client_argument}\n"
            "See them:   paraphe deliveries list --state failed --key KEY\n"
            "Try again:  paraphe deliveries replay {delivery_id} --key KEY\n",
        ),
        _FR: (
            "[Paraphe] Un envoi à {receiver} a été abandonné",
            "{receiver} n’a pas accepté un message malgré tous les essais.\n{detail}\n\n"
            "Client : {client}\nEnvoi : {delivery_id}\nDate : {at}\n\n"
            "Une clé est celle d’un client. En créer une :  paraphe keys create operators --client {client_argument}\n"
            "Les voir :    paraphe deliveries list --state failed --key CLÉ\n"
            "Recommencer : paraphe deliveries replay {delivery_id} --key CLÉ\n",
        ),
    },
    NoticeKind.DIGEST: {
        _EN: (
            "[Paraphe] {accepted} documents, {failed} failed",
            "From {since} to {until}\n\n"
            "Accepted:            {accepted}\n"
            "Examined:            {succeeded}\n"
            "  signed:            {signed}\n"
            "  not signed:        {unsigned}\n"
            "  for a person:      {review}\n"
            "Failed:              {failed}\n"
            "Canceled:            {canceled}\n\n"
            "Waiting now:         {waiting}\n"
            "Messages given up:   {dead}\n"
            "Alerts firing:       {alerts}\n",
        ),
        _FR: (
            "[Paraphe] {accepted} documents, {failed} échecs",
            "Du {since} au {until}\n\n"
            "Acceptés :              {accepted}\n"
            "Examinés :              {succeeded}\n"
            "  signés :              {signed}\n"
            "  non signés :          {unsigned}\n"
            "  à vérifier :          {review}\n"
            "Échecs :                {failed}\n"
            "Annulés :               {canceled}\n\n"
            "En attente :            {waiting}\n"
            "Messages abandonnés :   {dead}\n"
            "Alertes en cours :      {alerts}\n",
        ),
    },
}


def text_of(message: EventMessage | Notice, language: Language) -> tuple[str, str]:
    """Subject and body."""
    if isinstance(message, Notice):
        subject, body = _NOTICES[message.kind][language]
        values = {name: _readable(name, value) for name, value in message.data.items()}
        values["client_argument"] = shlex.quote(values.get("client", "NAME"))
        values.setdefault("client", "?")  # of the version before, whose notices named none
        return _one_line(subject.format_map(values)), body.format_map(values)
    subject, body = _EVENTS.get(message.kind, _OTHER_EVENT)[language]
    values = _values_of(message, language)
    return _one_line(subject.format_map(values)), body.format_map(values) + _ABOUT_JOB[language].format_map(values)


def _values_of(message: EventMessage, language: Language) -> dict[str, Any]:
    verdict = str(message.data.get("verdict", ""))
    return {
        "kind": message.kind.value,
        "job_id": message.job_id,
        "at": _moment(message.occurred_at),
        "verdict": _VERDICTS[language].get(verdict, verdict),
        "count": message.data.get("count", ""),
        "code": message.data.get("code", ""),
        "detail": message.data.get("detail", ""),
    }


def _readable(name: str, value: Any) -> Any:
    return _moment(datetime.fromisoformat(value)) if name in ("at", "since", "until") else value


def _moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _one_line(text: str) -> str:
    """A header ends with its line."""
    return " ".join(text.split())
