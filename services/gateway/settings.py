"""What can be set about the gateway, read from ``PARAPHE_GATEWAY_<NAME>`` and the groups all services share."""

from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.gateway.web.settings import WebSettings
from shared.settings import (
    JobSettings,
    LimitSettings,
    LogSettings,
    ModelSettings,
    ObjectsSettings,
    PostgresSettings,
    RedisSettings,
    RetentionSettings,
)


class GatewaySettings(BaseSettings):
    """The gateway's own settings. Names that end in ``_s`` are seconds."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_GATEWAY_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int = Field(default=16, ge=1, description="requests at work on database and object store at a time")
    backlog_limit: int = Field(default=20_000, ge=0, description="queued jobs beyond which new ones are refused (503)")
    presign_ttl_s: int = Field(default=3600, ge=1, le=7 * 24 * 3600, description="how long an upload address is valid")
    wait_max_s: float = Field(default=60, ge=0, le=60, description="longest wait a caller may ask for")
    predict_wait_s: float = Field(default=60, gt=0, le=60, description="how long /predict waits for its result")
    database_patience_s: float = Field(default=1.5, ge=0, description="retry a lost database this long, then 503")
    key_cache_s: float = Field(default=5, ge=0, description="other processes may use a revoked key this long")
    reread_s: float = Field(default=5, gt=0, description="waiters look again this often even when nothing is announced")
    event_keep_alive_s: float = Field(default=15, gt=0, description="a silent event stream gets a comment this often")
    drain_s: int = Field(default=25, ge=1, description="on SIGTERM, requests at work get this long to end")
    spool_bytes: int = Field(default=1024 * 1024, gt=0, description="bodies larger than this are spooled to disk")
    render_processes: int = Field(default=1, ge=1, description="page pictures drawn at a time")
    page_cache_bytes: int = Field(default=256 * 1024 * 1024, ge=0, description="page pictures kept on disk")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every group the gateway is composed of."""

    gateway: GatewaySettings
    web: WebSettings
    postgres: PostgresSettings
    redis: RedisSettings
    objects: ObjectsSettings
    jobs: JobSettings
    limits: LimitSettings
    models: ModelSettings
    retention: RetentionSettings
    log: LogSettings

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read everything now."""
        return cls(
            GatewaySettings(),
            WebSettings(),
            PostgresSettings(),
            RedisSettings(),
            ObjectsSettings(),
            JobSettings(),
            LimitSettings(),
            ModelSettings(),
            RetentionSettings(),
            LogSettings(),
        )
