"""Generated requests, good and bad: no server error, and no answer the OpenAPI document does not announce."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from shared.db.keys import Scope
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import working

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method,ignored_auth"
)

# Routes that must have been got through to, not only refused at.
REACHED = {
    ("GET", "/v1/jobs"),
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs/{job_id}"),
    ("DELETE", "/v1/jobs/{job_id}"),
    ("GET", "/v1/jobs/{job_id}/events"),
    ("GET", "/v1/jobs/{job_id}/deliveries"),
    ("GET", "/v1/jobs/{job_id}/pages/{number}.png"),
    ("POST", "/v1/uploads"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("POST", "/predict"),
}


@pytest.fixture
def administrator(make_key: MakeKey) -> Key:
    """A fresh key for everything."""
    return make_key(*Scope, requests_per_minute=1_000_000)


@pytest.fixture
def examined(engine: Engine) -> Iterator[None]:
    """Accepted jobs succeed, so that every state of a job is met."""
    with working(engine):
        yield


# An administrator's key is needed to see everything, and must not be revoked by chance. Reading is tried on a job
# that exists; on made-up ids there is little to get wrong.
CONFIGURATION = """
[[operations]]
include-path = "/v1/keys/{{key_id}}"
enabled = false

[[operations]]
include-method = "GET"
include-path-regex = "job_id"
parameters = {{ job_id = "{kept}" }}

[[operations]]
include-method = "DELETE"
include-path-regex = "job_id"
parameters = {{ job_id = "{erased}" }}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("examined")
def test_no_server_error_and_no_undocumented_answer(
    gateway: GatewayProcess, administrator: Key, tmp_path: Path
) -> None:
    with gateway.client(administrator) as client:
        kept, erased = (submit(client, Prefer="wait=20").json()["id"] for _ in range(2))
        (tmp_path / "schemathesis.toml").write_text(CONFIGURATION.format(kept=kept, erased=erased))
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{gateway.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {administrator.text}"),
            *("--checks", CHECKS),
            *("--mode", "all"),
            *("--max-examples", "20"),  # a number, not a time: a busy machine asks as much as an idle one
            *("--seed", "1"),
            *("--workers", "1"),  # Python 3.11 cannot parse in two threads at once, which Hypothesis does
            *("--request-timeout", "20"),
            *("--max-failures", "5"),
            "--no-color",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, env=os.environ)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert succeeded_routes(client) >= REACHED


def succeeded_routes(client: httpx.Client) -> set[tuple[str, str]]:
    """(method, route) of every route that has answered with a success."""
    pattern = r'gateway_requests_total{method="(\w+)",route="([^"]+)",status="2\d\d"}'
    return set(re.findall(pattern, client.get("/metrics").text))
