"""Mail by SMTP: what is sent, and one attempt to send it."""

import smtplib
import socket
import ssl
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from services.notifier.channels.answer import MAX_DETAIL, Answer
from services.notifier.channels.mail_texts import text_of
from services.notifier.settings import MailSettings
from shared.domain.delivery import DueDelivery

_TAKEN = 250


class MailChannel:
    """Sends mails, each over a connection of its own: they are few."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context()

    def send(self, due: DueDelivery) -> Answer:
        """One attempt. Does not raise: whatever happens is an answer."""
        at, started = datetime.now(UTC), time.monotonic()
        status, error, refused = self._outcome(due, at)
        milliseconds = (time.monotonic() - started) * 1000
        return Answer(at, milliseconds, status, error and error[:MAX_DETAIL], refused=refused)

    def _outcome(self, due: DueDelivery, now: datetime) -> tuple[int | None, str | None, bool]:
        """Status, error, and whether the address is refused for good. Only the recipient's server may say that:
        a log-in or a sender that is not taken is a mistake in our settings, and mended before the retries end."""
        try:
            self._hand_over(message_for(due, self._settings.sender, now))
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return code, _sentence(said), 500 <= code < 600
        except smtplib.SMTPDataError as error:
            return error.smtp_code, _sentence(error.smtp_error), 500 <= error.smtp_code < 600
        except smtplib.SMTPResponseException as error:
            return error.smtp_code, _sentence(error.smtp_error), False
        except Exception as error:  # the network's faults, mostly; but any other, not counted, would be tried forever
            return None, f"{type(error).__name__}: {error}", False
        return _TAKEN, None, False

    def _hand_over(self, message: EmailMessage) -> None:
        if not self._settings.host:
            raise ConnectionError("no mail server is set (PARAPHE_MAIL_HOST)")
        with self._connect(self._settings.host) as server:
            if self._settings.username:
                server.login(self._settings.username, self._settings.password.get_secret_value())
            server.send_message(message)

    def _connect(self, host: str) -> smtplib.SMTP:
        settings, our_name = self._settings, socket.gethostname()
        if settings.security == "tls":
            return smtplib.SMTP_SSL(
                host, settings.port, local_hostname=our_name, timeout=settings.timeout_s, context=self._tls
            )
        server = smtplib.SMTP(host, settings.port, local_hostname=our_name, timeout=settings.timeout_s)
        if settings.security == "starttls":
            try:
                server.starttls(context=self._tls)
            except BaseException:
                server.close()
                raise
        return server


def message_for(due: DueDelivery, sender: str, now: datetime) -> EmailMessage:
    """The mail. Its Message-ID stays the same over all attempts, so that a repeat is known for one."""
    subject, body = text_of(due.message, due.language)
    message = EmailMessage()
    message["From"] = f"Paraphe <{sender}>"
    message["To"] = due.url.removeprefix("mailto:")
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{due.id}@{sender.rpartition('@')[2]}>"
    # No out-of-office answer, please.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    message["Content-Language"] = due.language.value
    return message


def _sentence(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
