"""What a detector worker tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

from shared.domain.errors import OUR_CODES, ErrorCode

_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# Tenths, as drift is measured in; finer at the top, where a good model's signatures are.
_CONFIDENCE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)

PAGES = Counter("paraphe_detector_pages_total", "Pages examined.")
OUTCOMES = Counter(
    "paraphe_detector_jobs_total",
    "Attempts this worker ended, by how. `lost`: somebody else has the job now; `unrecorded`: left to the reconciler.",
    ["outcome", "code"],
)
HELD = Gauge("paraphe_detector_jobs_held", "Jobs this worker holds right now.")
REPEATS = Counter("paraphe_detector_repeat_deliveries_total", "Messages dropped because there was nothing to claim.")
STAGE_SECONDS = Histogram(
    "paraphe_detector_stage_seconds", "Seconds a job spent in each stage.", ["stage"], buckets=_STAGE_BUCKETS
)
BATCH_PAGES = Histogram("paraphe_detector_batch_pages", "Pages a forward.", buckets=(1, 2, 4, 8, 16, 32, 64))
FORWARD_SECONDS = Histogram("paraphe_detector_forward_seconds", "Seconds a forward.", buckets=_STAGE_BUCKETS)
MODEL = Gauge("paraphe_detector_model_info", "The model versions loaded.", ["model", "version", "backend"])
CONSUMING = Gauge("paraphe_detector_last_claim_timestamp_seconds", "When this worker last took a message.")
CONFIDENCE = Histogram(
    "paraphe_detector_signature_confidence",
    "Confidence of the signatures found, those that only a review counts included.",
    ["model", "version"],
    buckets=_CONFIDENCE_BUCKETS,
)


def _begin_at_zero() -> None:
    """Show every series from the start: a rate over a series that appears with its first count misses that one."""
    for outcome in ("succeeded", "lost"):
        OUTCOMES.labels(outcome, "")
    for code in ErrorCode:
        for outcome in ("retried", "unrecorded") if code in OUR_CODES else ("failed",):
            OUTCOMES.labels(outcome, code)


_begin_at_zero()
