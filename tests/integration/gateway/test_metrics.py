"""What the gateway counts of its answers, as Prometheus reads it."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.gateway.conftest import GatewayProcess


def counted(client: httpx.Client) -> dict[tuple[str, str, str], float]:
    """Answers by route, method and status."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {
        (one.labels["route"], one.labels["method"], one.labels["status"]): one.value
        for one in samples
        if one.name == "paraphe_gateway_requests_total"
    }


def test_a_route_bears_one_name_before_its_first_answer_and_after(
    gateway: GatewayProcess, client: httpx.Client
) -> None:
    """Otherwise the zero that an alert counts from would stand beside the series that grows."""
    before = counted(client)
    with gateway.client() as nobody:
        nobody.get("/login")
        nobody.get("/jobs/01a1f7d9-0231-785c-897f-d90fd1b819f3")
    client.get("/v1/jobs/01a1f7d9-0231-785c-897f-d90fd1b819f3")
    after = counted(client)
    grown = {key[:2] for key, value in after.items() if value > before.get(key, 0) and key[0] != "/metrics"}
    assert grown == {(route, "GET") for route in ("/login", "/jobs/{job_id}", "/v1/jobs/{job_id}")}
    assert {(*one, status) for one in grown for status in ("500", "503")} <= before.keys()
