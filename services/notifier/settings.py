"""Settings of a notifier, read from the environment when it starts."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.subscription import MAIL_ADDRESS, Language
from shared.settings import CommaList, LogSettings, PostgresSettings, RedisSettings
from shared.tracing import TracingSettings

MailAddress = Annotated[str, StringConstraints(pattern=MAIL_ADDRESS, max_length=254)]


class NotifierOptions(BaseSettings):
    """How events are taken off their queue."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_NOTIFIER_", extra="ignore", frozen=True)

    batch_size: int = Field(default=100, ge=1, description="events recorded in one transaction")
    batch_wait_ms: float = Field(default=100.0, ge=0, description="how long a batch waits for more events")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9103, ge=0, description="0: no metrics endpoint")


class WebhookSettings(BaseSettings):
    """How webhooks are delivered, and where to."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_WEBHOOK_", extra="ignore", frozen=True)

    timeout_s: float = Field(default=10.0, gt=0, description="one attempt, from connecting to the answer's first line")
    threads: int = Field(default=32, ge=1, description="attempts at once")
    per_receiver: int = Field(default=4, ge=1, description="attempts at once to one host of one client")
    max_attempts: int = Field(default=11, ge=1, description="with the waits below: about three days")
    waits_s: Annotated[tuple[float, ...], *CommaList] = Field(
        default=(5, 30, 120, 600, 1800, 7200, 21600, 43200, 86400),
        min_length=1,
        description="waits after the first, second… failed attempt; the last one repeats",
    )
    longest_wait_s: float = Field(default=86400.0, gt=0, description="a longer Retry-After is cut to this")
    allow_private: bool = Field(default=False, description="also deliver to private and loopback addresses")
    allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], *CommaList] = Field(
        default=(), description="networks to deliver to whatever kind they are, e.g. 10.1.0.0/16"
    )


class MailSettings(BaseSettings):
    """The mail server, and who is told of errors. Mails are retried like webhooks."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_MAIL_", extra="ignore", frozen=True)

    host: str | None = Field(default=None, description="mail server; without one no mail is sent")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="tls: from the start (465)")
    username: str | None = Field(default=None, description="without one the server is not asked for a log-in")
    password: SecretStr = SecretStr("")
    sender: MailAddress = Field(default="paraphe@localhost", description="address mails come from")
    timeout_s: float = Field(default=20.0, gt=0, description="for each step of talking to the mail server")
    threads: int = Field(default=4, ge=1, description="mails sent at once")
    admin_addresses: Annotated[tuple[MailAddress, ...], *CommaList] = Field(
        default=(), description="told of jobs and deliveries given up"
    )
    admin_language: Language = Field(default=Language.ENGLISH, description="en or fr, of mails to them and of digests")
    quiet_s: float = Field(default=900.0, ge=0, description="they hear of one reason once, then not for this long")
    digest_addresses: Annotated[tuple[MailAddress, ...], *CommaList] = Field(
        default=(), description="get a summary every so many hours"
    )
    digest_hours: int = Field(default=24, ge=1, le=168, description="hours a summary is about")
    digest_at_hour: int = Field(default=6, ge=0, le=23, description="UTC; summaries end at this hour of the day")

    @model_validator(mode="after")
    def _reachable(self) -> "MailSettings":
        if not self.host and (self.admin_addresses or self.digest_addresses):
            raise ValueError("there are addresses to send mails to, but PARAPHE_MAIL_HOST is not set")
        return self


class AlertSettings(BaseSettings):
    """Alertmanager: where single critical errors are raised, and how its own webhook reaches us."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_ALERTS_", extra="ignore", frozen=True)

    manager_urls: Annotated[tuple[str, ...], *CommaList] = Field(
        default=(), description="Alertmanagers to raise alerts at, e.g. http://alertmanager:9093; all are told"
    )
    raise_every_s: float = Field(default=30.0, gt=0, description="what still fires is raised again this often")
    hold_s: float = Field(default=6 * 3600.0, gt=0, description="what nobody makes good resolves after this")
    timeout_s: float = Field(default=5.0, gt=0, description="then an Alertmanager counts as away")
    token: SecretStr = Field(
        default=SecretStr(""), description="bearer token of Alertmanager's webhook; without one it is not taken"
    )
    host: str = Field(default="127.0.0.1", description="where Alertmanager's webhook is taken: POST /alerts")
    port: int = Field(default=9105, ge=1, le=65535)


class NotifierSettings(BaseModel):
    """Everything a notifier needs to know."""

    options: NotifierOptions = Field(default_factory=NotifierOptions)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
