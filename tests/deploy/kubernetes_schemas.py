"""Checks manifests strictly: run by .venv-deploy's Python, ``kubernetes_schemas.py VERSION,… FILE…``.

Built-in kinds against Kubernetes' own schemas of each version; KEDA's and the Prometheus operator's against typed
models, where a key the model does not know would be dropped, which is how it is found.
"""

import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as operator

MODELS = {
    "ScaledObject": keda.ScaledObject,
    "TriggerAuthentication": keda.TriggerAuthentication,
    "ServiceMonitor": operator.ServiceMonitor,
    "PrometheusRule": operator.PrometheusRule,
}


def check(manifest: dict[str, Any], versions: list[str]) -> None:
    """Raise unless it is valid."""
    model = MODELS.get(manifest["kind"])
    if model is None:
        for version in versions:
            kubernetes_validate.validate(manifest, version, strict=True)
        return
    understood = model.model_validate(manifest).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert understood["spec"] == manifest["spec"], f"not understood: {lost(manifest['spec'], understood['spec'])}"


def lost(given: Any, understood: Any, path: str = "spec") -> list[str]:
    """Where the two differ."""
    if isinstance(given, dict) and isinstance(understood, dict):
        return [found for key in given for found in lost(given[key], understood.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(understood, list) and len(given) == len(understood):
        pairs = enumerate(zip(given, understood, strict=True))
        return [found for number, (one, other) in pairs for found in lost(one, other, f"{path}[{number}]")]
    return [] if given == understood else [path]


def main() -> int:
    """Print what was checked, or what is wrong; returns the exit status."""
    faults = 0
    versions, files = sys.argv[1].split(","), sys.argv[2:]
    manifests = [manifest for file in files for manifest in yaml.safe_load_all(Path(file).read_text())]
    for manifest in manifests:
        try:
            check(manifest, versions)
        except Exception as error:
            faults += 1
            print(f"{manifest['kind']} {manifest['metadata']['name']}: {getattr(error, 'message', error)}")
    print(f"{len(manifests)} checked, {faults} faulty")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
