"""Settings of a notifier, read from the environment when it starts."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.settings import LogSettings, PostgresSettings, RedisSettings


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# Written with commas in the environment: "10.0.0.0/8, fd00::/8".
CommaList = (NoDecode, BeforeValidator(_split))


class NotifierOptions(BaseSettings):
    """How events are taken off their queue."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_NOTIFIER_", extra="ignore", frozen=True)

    batch_size: int = Field(default=100, ge=1, description="events recorded in one transaction")
    batch_wait_ms: float = Field(default=20.0, ge=0, description="how long a batch waits for more events")
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


class NotifierSettings(BaseModel):
    """Everything a notifier needs to know."""

    options: NotifierOptions = Field(default_factory=NotifierOptions)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    log: LogSettings = Field(default_factory=LogSettings)
