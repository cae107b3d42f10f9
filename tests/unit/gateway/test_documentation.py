"""The OpenAPI document says what the contract promises."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.gateway.answer_schemas import PredictOut
from services.gateway.app import create_app
from services.gateway.request_schemas import NewJobIn, OptionsIn
from services.gateway.settings import Settings

METHODS = {
    "/v1/jobs": {"get", "post"},
    "/v1/jobs/{job_id}": {"get", "delete"},
    "/v1/jobs/{job_id}/cancel": {"post"},
    "/v1/jobs/{job_id}/replay": {"post"},
    "/v1/jobs/{job_id}/events": {"get"},
    "/v1/jobs/{job_id}/deliveries": {"get"},
    "/v1/jobs/{job_id}/pages/{number}.png": {"get"},
    "/v1/jobs/{job_id}/pages/{number}.jpg": {"get"},
    "/v1/jobs/{job_id}/pages/{number}/correction": {"get", "put"},
    "/v1/jobs/{job_id}/training-consent": {"put"},
    "/v1/review/next": {"post"},
    "/v1/review/release": {"post"},
    "/v1/progress": {"get"},
    "/v1/subscriptions": {"get", "post"},
    "/v1/subscriptions/{subscription_id}": {"delete"},
    "/v1/webhook-secret/rotate": {"post"},
    "/v1/deliveries": {"get"},
    "/v1/deliveries/{delivery_id}/replay": {"post"},
    "/v1/alerts": {"get"},
    "/v1/uploads": {"post"},
    "/v1/keys": {"get", "post"},
    "/v1/keys/{key_id}": {"delete"},
    "/predict": {"post"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}
OPEN = ("/healthz", "/readyz", "/metrics")


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("PARAPHE_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("PARAPHE_REDIS_URL", "redis://127.0.0.1:1/0")
    for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.setenv(f"PARAPHE_OBJECTS_{name}", "x")
    return create_app(Settings.from_environment()).openapi()


def test_every_route_is_there(document: dict[str, Any]) -> None:
    assert {path: set(operations) for path, operations in document["paths"].items()} == METHODS


def test_whatever_needs_a_key_says_so_and_documents_the_refusals(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert bool(operation.get("security")) == (path not in OPEN), path
            if path not in OPEN:
                assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
                for status, answer in operation["responses"].items():
                    if status >= "400":
                        assert list(answer["content"]) == ["application/problem+json"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def references(value: Any) -> set[str]:
        if isinstance(value, list):
            return {found for one in value for found in references(one)}
        if not isinstance(value, dict):
            return set()
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own | {found for one in value.values() for found in references(one)}

    assert references(document) <= known


@pytest.mark.parametrize("model", [NewJobIn, OptionsIn, PredictOut])
def test_examples_fit_their_schemas(model: type[BaseModel]) -> None:
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)
