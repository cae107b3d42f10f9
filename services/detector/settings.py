"""Settings of a detector worker, read from the environment when it starts."""

from typing import Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.processor import usable_cores
from shared.settings import (
    JobSettings,
    LimitSettings,
    LogSettings,
    ModelSettings,
    ObjectsSettings,
    PostgresSettings,
    RedisSettings,
)


class WorkerSettings(BaseSettings):
    """How one worker process uses its machine."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_DETECTOR_", extra="ignore", frozen=True)

    threads: int = Field(
        default_factory=lambda: max(8, usable_cores() * 4),
        ge=1,
        description="jobs held at once: while one page is in the model, others are fetched and decoded",
    )
    renderers: int = Field(default_factory=usable_cores, ge=1, description="decoding child processes")
    backend: Literal["auto", "openvino", "onnxruntime", "pytorch"] = "auto"
    precision: Literal["f32", "auto"] = Field(
        default="auto",
        description="auto: bf16 where the CPU has it; f32: the same boxes to the last digit on every machine",
    )
    max_batch: int | None = Field(default=None, ge=1, description="pages a forward; default by backend")
    max_wait_ms: float = Field(default=2.0, ge=0, description="how long a batch waits for more pages")
    drain_s: float = Field(default=30.0, gt=0, description="after SIGTERM, unfinished jobs are given back by then")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9102, ge=0, description="0: no metrics endpoint")


class DetectorSettings(BaseModel):
    """Everything a worker needs to know."""

    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectsSettings = Field(default_factory=ObjectsSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    log: LogSettings = Field(default_factory=LogSettings)
