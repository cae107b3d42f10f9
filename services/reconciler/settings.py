"""Settings of a reconciler, read from the environment when it starts."""

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import (
    JobSettings,
    LogSettings,
    ObjectsSettings,
    PostgresSettings,
    RedisSettings,
    RetentionSettings,
)


class ReconcilerOptions(BaseSettings):
    """How often it looks."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_RECONCILER_", extra="ignore", frozen=True)

    every_s: float = Field(default=1.0, gt=0, description="between looks for lost workers and lost messages")
    sweep_every_s: float = Field(default=10.0, gt=0, description="between looks for expired uploads")
    orphan_days: int = Field(
        default=30, ge=0, description="a stored document no job has is removed after so long; 0: never"
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9104, ge=0, description="0: no metrics endpoint")


class ReconcilerSettings(BaseModel):
    """Everything a reconciler needs to know."""

    options: ReconcilerOptions = Field(default_factory=ReconcilerOptions)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectsSettings = Field(default_factory=ObjectsSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    log: LogSettings = Field(default_factory=LogSettings)
