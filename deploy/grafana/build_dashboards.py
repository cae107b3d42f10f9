"""Writes the Grafana dashboards: ``python deploy/grafana/build_dashboards.py``. Edit the modules here, not the JSON.

``--check`` writes nothing and fails when the JSON is not what this would write.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from business import BUSINESS
from panels import Panel, Row
from service_health import HEALTH

FOLDER = Path(__file__).parent / "dashboards"
_DATASOURCE = {"type": "prometheus", "uid": "paraphe-prometheus"}
_ROW_HEIGHT, _WIDTH = 7, 24


def dashboard(uid: str, title: str, rows: tuple[Row, ...], since: str) -> dict[str, Any]:
    """Grafana's JSON."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["paraphe"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": list(_laid_out(rows)),
    }


def _laid_out(rows: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1},
            "panels": [],
        }
        x, y = 0, y + 1
        for panel in row.panels:
            if x + panel.width > _WIDTH:
                x, y = 0, y + _ROW_HEIGHT
            number += 1
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": _ROW_HEIGHT})
            x += panel.width
        y += _ROW_HEIGHT


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.thresholds:
        steps = [{"value": None if value == 0 else value, "color": colour} for value, colour in panel.thresholds]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 10, "stacking": {"mode": "normal" if panel.stacked else "none"}}
    instant = panel.kind != "timeseries"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "gridPos": place,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if instant else {"legend": {"displayMode": "list"}},
        "targets": [
            {
                "refId": chr(ord("A") + place_in_panel),
                "datasource": _DATASOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": instant,
            }
            for place_in_panel, query in enumerate(panel.queries)
        ],
    }


def main() -> int:
    """Write, or compare; returns the exit status."""
    wanted = {
        "service-health.json": dashboard("paraphe-health", "Paraphe: service health", HEALTH, "now-3h"),
        "business.json": dashboard("paraphe-business", "Paraphe: business", BUSINESS, "now-7d"),
    }
    stale = []
    for name, content in wanted.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            (FOLDER / name).write_text(text)
        elif (FOLDER / name).read_text() != text:
            stale.append(name)
    if stale:
        print(f"not up to date: {', '.join(stale)}; run python deploy/grafana/build_dashboards.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
