"""docker-compose.yml, resolved by Compose itself for each profile and store, held to what we promise of it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.proxied import address_seen
from tests.deploy.tools import DEPLOY, ROOT, run

_DOCUMENTS = (ROOT / "README.md", ROOT / "docker-compose.yml", *sorted((ROOT / "docs").rglob("*.md")))
_BASE = ("-f", str(ROOT / "docker-compose.yml"))
# What Compose is told, on its command line and beside what is in .env.
VARIANTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "plain": ((), {}),
    "gpu": (("--profile", "gpu"), {}),
    "dev": (("--profile", "dev"), {}),
    "backup": (("--profile", "backup"), {}),
    "all": (("--profile", "*"), {}),
    "seaweedfs": (("--profile", "*"), {"OBJECTS_STORE": "seaweedfs"}),
}
_STORES = {"postgres", "redis", "minio"}
_WATCHERS = {"prometheus", "alertmanager", "grafana"}
_WANTED = {"gateway", "detector", "notifier", "reconciler", "migrate", *_STORES, *_WATCHERS}
# Each for a reason that stands in the file.
_ROOT_USERS = {"objects-volume"}
_ENDING = {"migrate", "objects-volume", "backup"}
_OURS = {"gateway", "detector", "detector-gpu", "notifier", "reconciler", "migrate", "backup"}


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_env(tmp_path_factory.mktemp("compose") / "env", "--smtp", "mail.example.org:587")


def make_env(path: Path, *options: str) -> Path:
    run([sys.executable, DEPLOY / "make-env", "--output", path, *options])
    return path


def compose(*arguments: str | Path, cwd: Path = ROOT, variables: Mapping[str, str] = {}) -> str:
    """What Compose answers where no variables are set but these."""
    return run(["docker-compose", *arguments], cwd=cwd, env={"PATH": os.environ["PATH"], "HOME": "/", **variables})


def resolved(variant: str, env_file: Path) -> dict[str, Any]:
    options, variables = VARIANTS[variant]
    return dict(yaml.safe_load(compose(*_BASE, *options, "--env-file", env_file, "config", variables=variables)))


@pytest.fixture(params=list(VARIANTS))
def services(request: pytest.FixtureRequest, env_file: Path) -> dict[str, Any]:
    return dict(resolved(request.param, env_file)["services"])


def test_profiles_bring_what_they_are_for(env_file: Path) -> None:
    plain = set(resolved("plain", env_file)["services"])
    assert plain >= _WANTED
    assert set(resolved("gpu", env_file)["services"]) - plain == {"detector-gpu"}
    assert set(resolved("dev", env_file)["services"]) - plain == {"mail"}
    assert set(resolved("backup", env_file)["services"]) - plain == {"backup"}


def test_services_are_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        if name not in _OURS:  # ours: the image's USER, which another test looks at
            assert (service["user"] == "0:0") == (name in _ROOT_USERS), name


def test_services_have_a_health_check_or_an_end(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name in _ENDING:
            assert service["restart"] in ("no", "on-failure:5"), name
        else:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_services_wait_for_health(services: dict[str, Any]) -> None:
    for name in {"gateway", "detector", "notifier", "reconciler"}:
        assert {other: wait["condition"] for other, wait in services[name]["depends_on"].items()} == {
            "migrate": "service_completed_successfully",
            "redis": "service_healthy",
            "minio": "service_healthy",
        }
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"[\w./-]+:[\w.-]*\d+[.-]\d+[\w.-]*", service["image"]), (name, service["image"])


def test_a_drain_fits_into_the_grace(services: dict[str, Any]) -> None:
    """Docker kills what has not ended in time; what drains longer would be cut off."""
    from services.detector.settings import WorkerSettings
    from services.gateway.settings import GatewaySettings

    for name, drain_s in (("gateway", GatewaySettings().drain_s), ("detector", WorkerSettings().drain_s)):
        assert _seconds(services[name]["stop_grace_period"]) >= drain_s + 5, name


def test_only_what_is_meant_to_be_is_reachable_from_outside(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name
    published = {name for name, service in services.items() if service.get("ports")}
    assert published <= {"gateway", "minio", "prometheus", "alertmanager", "grafana", "mail"}


def test_every_named_volume_is_used_and_nothing_else_of_the_host_is_written(env_file: Path) -> None:
    for variant in VARIANTS:
        config = resolved(variant, env_file)
        mounts = [mount for service in config["services"].values() for mount in service.get("volumes", [])]
        assert {mount["source"] for mount in mounts if mount["type"] == "volume"} == set(config["volumes"]), variant
        assert all(mount.get("read_only") for mount in mounts if mount["type"] == "bind"), variant
        assert all(Path(mount["source"]).exists() for mount in mounts if mount["type"] == "bind"), variant


def test_there_is_no_default_secret(tmp_path: Path) -> None:
    empty = tmp_path / "env"
    empty.write_text("")
    text = (ROOT / "docker-compose.yml").read_text()
    secrets = set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|ACCESS_KEY)\w*)", text))
    assert {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "OBJECTS_SECRET_KEY", "GRAFANA_ADMIN_PASSWORD"} <= secrets
    with pytest.raises(AssertionError, match="run deploy/make-env"):
        compose(*_BASE, "--env-file", empty, "config", variables={"OBJECTS_STORE": "minio"})


def test_a_store_is_said_and_not_guessed(tmp_path: Path, env_file: Path) -> None:
    """An .env from before there was a choice may belong to either; the wrong one starts on an empty volume."""
    unsaid = tmp_path / "env"
    unsaid.write_text(re.sub(r"^OBJECTS_STORE=.*", "", env_file.read_text(), flags=re.M))
    with pytest.raises(AssertionError, match=r"OBJECTS_STORE.*say minio or seaweedfs in \.env"):
        compose(*_BASE, "--env-file", unsaid, "config")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as somebody has it who examines on a GPU and keeps documents in SeaweedFS."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copy(ROOT / "docker-compose.yml", folder)
    shutil.copytree(DEPLOY / "compose", folder / "deploy/compose")
    make_env(folder / ".env", "--gpu", "--seaweedfs")
    return folder


def test_every_command_means_the_services_that_env_names(installed: Path) -> None:
    """Else an upgrade, or the nightly backup, puts an empty store in the place of the one with the documents."""
    file = str(installed / "docker-compose.yml")
    wanted = compose("config", "--hash", "minio", cwd=installed)
    assert "seaweedfs" in compose("config", "--images", cwd=installed)
    for options, cwd in (((), installed / "deploy"), (("-f", file), Path("/")), (("--profile", "backup"), installed)):
        assert compose(*options, "config", "--hash", "minio", cwd=cwd) == wanted, options
    # A profile on the command line takes the place of those in .env, so no document names one.
    assert not re.search(r"--profile (?!'\*')", "".join(path.read_text() for path in _DOCUMENTS))
    for options, cwd in (((), installed), ((), installed / "deploy"), (("-f", file), Path("/"))):
        services = yaml.safe_load(compose(*options, "config", cwd=cwd))["services"]
        assert "detector-gpu" in services, options
        assert services["detector"]["deploy"]["replicas"] == 0, options


def test_mails_are_caught_until_a_server_for_them_is_named(tmp_path: Path, env_file: Path) -> None:
    for_a_look = make_env(tmp_path / "env")
    for file, caught in ((for_a_look, True), (env_file, False)):
        services = yaml.safe_load(compose(*_BASE, "--env-file", file, "config"))["services"]
        assert ("mail" in services) == caught


def test_as_many_detectors_examine_on_the_cpu_as_env_says(env_file: Path) -> None:
    said: tuple[tuple[dict[str, str], int], ...] = (({}, 1), ({"DETECTORS": "3"}, 3))
    for variables, meant in said:
        config = yaml.safe_load(compose(*_BASE, "--env-file", env_file, "config", variables=variables))
        assert config["services"]["detector"]["deploy"]["replicas"] == meant
        assert "detector-gpu" not in config["services"]


def test_an_upgrade_builds_every_image_that_will_run_and_no_other(installed: Path, env_file: Path) -> None:
    """By the commands of docs/deployment.md. The GPU's image holds gigabytes that others do not need."""
    (row,) = re.findall(r"^\| upgrade \| `git pull`(.*)", (ROOT / "docs/deployment.md").read_text(), flags=re.M)
    builds = [command.split()[2:] for command in re.findall(r"`(docker compose [^`]*\bbuild\b[^`]*)`", row)]
    usual = {"gateway", "detector", "notifier", "reconciler", "backup"}
    plain = (*_BASE, "--env-file", str(env_file))
    for options, cwd, wanted in ((plain, ROOT, usual), ((), installed, usual | {"detector-gpu"})):
        plans = [json.loads(compose(*options, *build, "--print", cwd=cwd)) for build in builds]
        assert {each["target"] for plan in plans for each in plan["target"].values()} == wanted


def test_make_env_makes_new_secrets_and_keeps_an_old_file(tmp_path: Path) -> None:
    def make(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(DEPLOY / "make-env"), "--output", str(tmp_path / name)]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert make("one").returncode == make("two").returncode == 0
    one, two = (dict(_assignments(tmp_path / name)) for name in ("one", "two"))
    secret = [name for name in one if re.search(r"_(PASSWORD|KEY|TOKEN)$", name) and one[name]]
    assert len(secret) == 6
    assert all(one[name] != two[name] and len(one[name]) >= 16 for name in secret)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    before = (tmp_path / "one").read_text()
    assert make("one").returncode == 1
    assert (tmp_path / "one").read_text() == before


def test_a_proxy_that_env_names_is_believed_and_nobody_else(tmp_path: Path, env_file: Path) -> None:
    """Or all people behind it share its address, and with it one limit of failed log-ins."""
    person, bridge, network = "203.0.113.9", "172.18.0.1", "10.1.0.0/24"
    named = make_env(tmp_path / "env", "--proxy", f"{bridge},{network}")
    gateway, unnamed = (resolved("plain", file)["services"]["gateway"]["environment"] for file in (named, env_file))
    assert gateway["PARAPHE_WEB_BEHIND_TLS"] == "true"
    believed = gateway["FORWARDED_ALLOW_IPS"]
    assert address_seen(believed, bridge, f"198.51.100.1, {person}") == person
    assert address_seen(believed, "10.1.0.7", person) == person
    assert address_seen(believed, "172.18.0.5", person) == "172.18.0.5"
    assert unnamed["PARAPHE_WEB_BEHIND_TLS"] == "false"
    assert address_seen(unnamed["FORWARDED_ALLOW_IPS"], bridge, person) == bridge


@pytest.mark.parametrize("proxy", ["*", "10.1.0.5/24", "proxy.example.org", "10.1.0.5, 10.1.0.6"])
def test_make_env_refuses_a_proxy_that_would_be_passed_over_in_silence(tmp_path: Path, proxy: str) -> None:
    with pytest.raises(AssertionError, match="--proxy"):
        make_env(tmp_path / "env", "--proxy", proxy)
    assert not (tmp_path / "env").exists()


def test_services_take_the_settings_they_are_given(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each service's settings are built from what its container gets: no name misspelt, no value refused."""
    from services.detector.settings import DetectorSettings
    from services.gateway.settings import Settings
    from services.notifier.settings import NotifierSettings
    from services.reconciler.settings import ReconcilerSettings
    from shared.settings import ObjectsSettings, PostgresSettings

    builders: dict[str, Callable[[], object]] = {
        "gateway": Settings.from_environment,
        "detector": DetectorSettings,
        "notifier": NotifierSettings,
        "reconciler": ReconcilerSettings,
    }
    if "backup" in services:
        builders["backup"] = lambda: (PostgresSettings(), ObjectsSettings())
    documented = (ROOT / "docs/settings.md").read_text() + (ROOT / "docs/web-pages.md").read_text()
    for name, build in builders.items():
        with monkeypatch.context() as context:
            for variable, value in services[name]["environment"].items():
                assert f"`{variable}`" in documented, variable
                context.setenv(variable, value)
            assert build()


def test_traces_are_off_until_one_variable_says_where_to(env_file: Path, tmp_path: Path) -> None:
    """And whoever sends them is on the network a collector is to join."""
    on = tmp_path / "env"
    on.write_text(
        re.sub(
            r"^TRACING_ENDPOINT=.*",
            "TRACING_ENDPOINT=http://collector:4318/v1/traces",
            env_file.read_text(),
            flags=re.M,
        )
    )
    for file, endpoint in ((env_file, ""), (on, "http://collector:4318/v1/traces")):
        services = resolved("gpu", file)["services"]
        for name in ("gateway", "detector", "detector-gpu", "notifier"):
            assert services[name]["environment"]["PARAPHE_TRACING_ENDPOINT"] == endpoint, name
            assert "watch" in services[name]["networks"], name


def test_what_env_sets_is_used_and_what_is_asked_for_is_set(env_file: Path) -> None:
    files = [ROOT / "docker-compose.yml", *(DEPLOY / "compose").iterdir()]
    asked = {name for file in files for name in re.findall(r"\$\{(\w+)", file.read_text())}
    given = {name for name, _ in _assignments(env_file)} - {"COMPOSE_PROFILES"}  # Compose's own
    assert given <= asked
    rest = {"PARAPHE_VERSION", "GPU_DETECTOR_THREADS", "GPU_DETECTOR_RENDERERS"}
    assert asked - given == rest


def _assignments(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


def _seconds(duration: str) -> int:
    minutes, seconds = re.fullmatch(r"(?:(\d+)m)?(\d+)s", duration).groups()  # type: ignore[union-attr]
    return int(minutes or 0) * 60 + int(seconds)
