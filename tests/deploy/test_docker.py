"""The Dockerfile: clean by hadolint, and what it promises can be read off it."""

import re
import sys

from tests.deploy.tools import DEPLOY, ROOT, run

DOCKERFILE = DEPLOY / "docker/Dockerfile"
SERVICES = {"gateway", "detector", "detector-gpu", "notifier", "reconciler"}


def stages() -> dict[str, str]:
    parts = re.split(r"^FROM .* AS ([\w-]+)$", DOCKERFILE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def libraries(*extras: str) -> str:
    return run([sys.executable, DEPLOY / "docker/requirements.py", *extras])


def test_hadolint_finds_nothing() -> None:
    assert run(["hadolint", DOCKERFILE]) == ""


def test_each_service_has_an_image_that_is_not_root() -> None:
    found = stages()
    assert set(found) >= SERVICES
    for name in SERVICES:
        assert "USER 10001:10001" in found[name], name
        assert "HEALTHCHECK" in found[name], name
        assert f'/opt/paraphe/healthcheck.py", "{name.removesuffix("-gpu")}"' in found[name], name


def test_backups_are_made_with_the_programs_of_the_server_we_deploy() -> None:
    server = re.compile(r"image: (postgres:\S+)")
    (taken,) = re.findall(r"^FROM (postgres:\S+) AS postgres$", DOCKERFILE.read_text(), flags=re.MULTILINE)
    compose = set(server.findall((ROOT / "docker-compose.yml").read_text()))
    dev = set(server.findall((DEPLOY / "k8s/overlays/dev/servers.yaml").read_text()))
    assert {taken} == compose == dev
    backup = stages()["backup"]
    assert "USER 10001:10001" in backup
    assert set(re.findall(r"postgresql/(\d+)", backup)) == {taken.removeprefix("postgres:").split(".")[0]}


def test_only_detectors_carry_a_runtime_and_only_the_gpus_torch() -> None:
    runtimes = re.compile(r"^(torch|openvino|onnxruntime|ultralytics)", re.MULTILINE)
    # the GPU's image runs the network for turned pages, which is ONNX alone, on its CPU (decision 14)
    carried = {"detector": {"openvino"}, "detector-gpu": {"torch", "ultralytics", "onnxruntime"}}
    extras = {name: stages()[f"libraries-{name}"] for name in SERVICES | {"backup"}}
    for name, text in extras.items():
        asked = re.search(r"install-libraries ([\w ]+)\n", text)
        assert asked is not None
        found = set(runtimes.findall(libraries(*asked[1].split())))
        assert found == carried.get(name, set()), name


def test_who_sends_traces_can() -> None:
    for name in SERVICES:
        source = ROOT / "services" / name.removesuffix("-gpu")
        traces = any("configure_tracing(" in path.read_text() for path in source.rglob("*.py"))
        asked = re.search(r"install-libraries ([\w ]+)\n", stages()[f"libraries-{name}"])
        assert asked is not None
        assert ("opentelemetry-sdk==" in libraries(*asked[1].split())) == traces, name
        assert ("opentelemetry-exporter-otlp-proto-http==" in libraries(*asked[1].split())) == traces, name


def test_requirements_follow_our_own_extras() -> None:
    assert "paraphe" not in libraries("trainer")
    assert "torch==" in libraries("trainer")


def test_the_builder_is_sent_only_what_is_copied() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), flags=re.MULTILINE))
    sources = {source for line in copied for source in line.split()}
    assert {
        source for source in sources if not any(source == one or source.startswith(f"{one}/") for one in sent)
    } == set()
