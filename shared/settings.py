"""Settings every service is composed of, one group a server or concern, each read from ``PARAPHE_<GROUP>_<NAME>``.

Built at start-up (``PostgresSettings()`` reads the environment then), never at import.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.pages.limits import RenderLimits

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# Written with commas in the environment: "10.0.0.0/8, fd00::/8".
CommaList = (NoDecode, BeforeValidator(_split))
# "sentinel-1:26379", "10.0.0.7", "[fd00::7]:26379".
HostAndPort = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(:\d{1,5})?$")]


def _group(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=f"PARAPHE_{prefix}_", extra="ignore", frozen=True)


class PostgresSettings(BaseSettings):
    """The database: the truth about every job."""

    model_config = _group("POSTGRES")

    url: SecretStr = Field(description="SQLAlchemy or libpq URL, e.g. postgresql://user:secret@host:5432/paraphe")
    pool_size: int = Field(default=10, ge=1, description="connections kept open; twice as many at peaks")
    connect_timeout_s: int = Field(default=3, ge=1, description="then the database counts as away")


class RedisSettings(BaseSettings):
    """The broker: transport only; it may forget everything at any moment."""

    model_config = _group("REDIS")

    url: SecretStr = Field(
        description="redis://[user:secret@]host:port/0; rediss:// is TLS; with sentinels its host does not count"
    )
    timeout_s: float = Field(default=2.0, gt=0, description="then the broker counts as away")
    sentinels: Annotated[tuple[HostAndPort, ...], *CommaList] = Field(
        default=(), description="who knows the master, e.g. sentinel-1:26379,sentinel-2:26379; none: the URL's host"
    )
    sentinel_master: str = Field(default="mymaster", min_length=1, description="what the sentinels call the master")
    sentinel_username: str | None = Field(default=None, description="if the sentinels ask who we are")
    sentinel_password: SecretStr = Field(default=SecretStr(""), description="if the sentinels ask for one")
    sentinel_tls: bool = Field(default=False, description="talk TLS to the sentinels; to the master by rediss://")
    tls_ca_file: Path | None = Field(default=None, description="whom to trust; otherwise the system's authorities")
    tls_cert_file: Path | None = Field(default=None, description="our certificate, if the servers ask for one")
    tls_key_file: Path | None = Field(default=None, description="the key of our certificate")
    tls_check_hostname: bool = Field(
        default=True, description="sentinels name masters by address: then certificates must name addresses, too"
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must begin with redis:// or rediss://")
        return url


class ObjectsSettings(BaseSettings):
    """The object store, over plain S3 calls."""

    model_config = _group("OBJECTS")

    endpoint: str = Field(description="host:port of the S3 API, without scheme")
    access_key: SecretStr
    secret_key: SecretStr
    bucket: str = Field(default="paraphe", description="made at start-up when it is missing")
    secure: bool = Field(default=False, description="use TLS")
    region: str = "us-east-1"
    public_endpoint: str | None = Field(default=None, description="host:port clients reach for presigned uploads")


class JobSettings(BaseSettings):
    """How jobs are leased, retried and re-sent."""

    model_config = _group("JOB")

    lease_s: float = Field(default=15.0, gt=0, description="a worker silent for this long loses its job")
    heartbeat_s: float = Field(default=4.0, gt=0, description="how often a worker renews its leases")
    max_attempts: int = Field(default=4, ge=1, description="then the job fails, visible and replayable")
    retry_backoff_s: float = Field(default=2.0, gt=0, description="first retry waits this long, then twice as long…")
    resend_after_s: float = Field(default=8.0, gt=0, description="a message unseen for this long may have been lost")


class LimitSettings(BaseSettings):
    """What a document may be. Beyond a limit it is refused, with a code, and costs no other job."""

    model_config = _group("LIMIT")

    document_bytes: int = Field(default=50 * 1024 * 1024, gt=0, description="a whole file")
    json_bytes: int = Field(default=32 * 1024 * 1024, gt=0, description="JSON bodies are held in memory: base64 only")
    pages: int = Field(default=300, gt=0, description="of one document")
    page_pixels: int = Field(default=100_000_000, gt=0, description="width times height of one page")
    page_seconds: float = Field(default=20.0, gt=0, description="rendering one page")
    document_seconds: float = Field(default=300.0, gt=0, description="rendering one document")
    render_memory_bytes: int = Field(default=2 * 1024**3, gt=0, description="address space of a decoding process")
    pdf_dpi: int = Field(
        default=200, ge=36, le=600, description="resolution PDF pages are drawn at, where that is not too many pixels"
    )

    def rendering(self) -> RenderLimits:
        """The renderer's part of it, the same wherever pages are drawn."""
        return RenderLimits(
            max_pages=self.pages,
            max_page_pixels=self.page_pixels,
            seconds=self.document_seconds,
            seconds_per_page=self.page_seconds,
            memory_bytes=self.render_memory_bytes,
            pdf_dpi=self.pdf_dpi,
        )


class ModelSettings(BaseSettings):
    """Where model versions lie and which is used."""

    model_config = _group("MODEL")

    directory: Path = Field(default=PROJECT_ROOT / "models", description="folders <name>/<version>/model.json")
    default: str = Field(default="signatures", description="the model of jobs that name none")


_SHORTEST_RECORD_DAYS = 8


class RetentionSettings(BaseSettings):
    """How long documents and what was found on them are kept, and what is on record of telling people."""

    model_config = _group("RETENTION")

    days: int = Field(default=0, ge=0, description="then jobs with an outcome erase themselves; 0: kept for ever")
    delivery_days: int = Field(
        default=90, ge=0, description="then deliveries that are over go, with their attempts; at least 8; 0: never"
    )
    alert_days: int = Field(
        default=365, ge=0, description="then incidents that are closed and alerts that are over go; 0: kept for ever"
    )

    @field_validator("delivery_days")
    @classmethod
    def _outlast_a_period(cls, days: int) -> int:
        """By its delivery it is known that a week's summary has been sent."""
        if 0 < days < _SHORTEST_RECORD_DAYS:
            raise ValueError(f"must be 0 or at least {_SHORTEST_RECORD_DAYS}")
        return days


class LogSettings(BaseSettings):
    """Structured logs: JSON lines for machines, coloured text for people."""

    model_config = _group("LOG")

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "console"] = "json"
