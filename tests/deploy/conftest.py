"""Tests of what lies in deploy/: run by ``make test-deploy``, not by ``make test``, for they need tools of their own.

``deploy/tools/install`` puts those into ``.venv-deploy`` and ``.deploy-tools``; none needs a daemon or a cluster.
"""

from pathlib import Path

import pytest

from tests.deploy.tools import MARK


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Only when asked for by the marker."""
    return None if MARK in (config.getoption("markexpr") or "").split() else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(MARK)
