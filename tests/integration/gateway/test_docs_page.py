"""The API's documentation page works in a closed network."""

import re

from tests.integration.gateway.conftest import GatewayProcess


def test_the_documentation_page_loads_nothing_from_elsewhere(plain_gateway: GatewayProcess) -> None:
    with plain_gateway.client() as http:
        page = http.get("/docs")
        assert page.status_code == 200
        named = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
        assert any(name.endswith("swagger-ui-bundle.js") for name in named)
        for name in named:
            assert name.startswith("/"), f"{name} is asked of another server"
            assert http.get(name).status_code == 200, name
