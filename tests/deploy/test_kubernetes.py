"""The overlays, rendered as kubectl would, valid by strict schemas, and held to what we promise of them."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.detector.settings import WorkerSettings
from services.gateway.settings import GatewaySettings
from shared.settings import LimitSettings
from tests.deploy.proxied import address_seen
from tests.deploy.tools import DEPLOY, ROOT, run

Manifest = dict[str, Any]
OVERLAYS = ("cpu", "gpu", "dev")
# The oldest we promise, the newest the schemas know.
VERSIONS = ("1.30", "1.37")
_LONG_RUNNING = {"gateway", "detector", "notifier", "reconciler"}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("k8s")
    shutil.copytree(DEPLOY / "k8s", folder / "k8s")
    secrets = folder / "k8s/overlays/dev/secrets.env"
    secrets.unlink(missing_ok=True)
    run([sys.executable, DEPLOY / "make-env", "--kubernetes", "--output", secrets])
    found = {}
    for overlay in OVERLAYS:
        found[overlay] = folder / f"{overlay}.yaml"
        text = _kustomize(folder / "k8s/overlays" / overlay)
        found[overlay].write_text(f"{text}---\n{_restoring(text, folder / overlay)}")
    return found


def _restoring(text: str, folder: Path) -> str:
    """The Job that docs/backup.md makes of the CronJob in an overlay."""
    nightly = of(list(yaml.safe_load_all(text)), "CronJob")["backup"]["spec"]["jobTemplate"]
    kind = {"apiVersion": "batch/v1", "kind": "Job"}
    job = {**kind, "metadata": {**nightly["metadata"], "name": "restore"}, "spec": nightly["spec"]}
    folder.mkdir()
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    shutil.copy(DEPLOY / "k8s/restore.yaml", folder)
    steps = {"namespace": "paraphe", "resources": ["job.yaml"], "patches": [{"path": "restore.yaml"}]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(steps))
    return _kustomize(folder)


def _kustomize(folder: Path) -> str:
    try:
        return run(["kubectl", "kustomize", folder])
    except AssertionError as missing:
        if "is missing" not in str(missing):
            raise
        return run(["kustomize", "build", folder])


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifests(rendered: dict[str, Path], overlay: str) -> list[Manifest]:
    return list(yaml.safe_load_all(rendered[overlay].read_text()))


def of(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name and pod template of everything that runs."""
    for each in manifests:
        name, spec = each["metadata"]["name"], each.get("spec", {})
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield name, spec["template"]
        elif each["kind"] == "CronJob":
            yield name, spec["jobTemplate"]["spec"]["template"]


def containers(template: Manifest) -> list[Manifest]:
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def settings(manifests: list[Manifest]) -> dict[str, str]:
    """What all services are told that is no secret."""
    (found,) = [each for name, each in of(manifests, "ConfigMap").items() if name.startswith("paraphe-settings")]
    return dict(found["data"])


def test_every_manifest_is_valid(rendered: dict[str, Path]) -> None:
    out = _validate([*rendered.values()], VERSIONS)
    assert re.fullmatch(r"\d{3} checked, 0 faulty\n", out), out


def test_a_wrong_key_is_found(rendered: dict[str, Path], tmp_path: Path) -> None:
    """Or the test above would prove nothing."""
    wrong = tmp_path / "wrong.yaml"
    cpu = list(yaml.safe_load_all(rendered["cpu"].read_text()))
    two = [of(cpu, "ScaledObject")["detector"], of(cpu, "Ingress")["paraphe"]]
    wrong.write_text(yaml.safe_dump_all(two).replace("cooldownPeriod", "coolDownPeriod").replace("tls:", "tsl:"))
    with pytest.raises(AssertionError, match="2 checked, 2 faulty"):
        _validate([wrong], VERSIONS[:1])


def _validate(files: list[Path], versions: tuple[str, ...]) -> str:
    program = Path(__file__).with_name("kubernetes_schemas.py")
    return run([ROOT / ".venv-deploy/bin/python", program, ",".join(versions), *files])


def test_checkov_finds_nothing_unanswered(rendered: dict[str, Path]) -> None:
    files = [option for file in (*rendered.values(), DEPLOY / "docker/Dockerfile") for option in ("-f", file)]
    frameworks = ["--framework", "kubernetes", "dockerfile"]
    reports = json.loads(run(["checkov", "--config-file", DEPLOY / "checkov.yaml", "-o", "json", *frameworks, *files]))
    assert {report["check_type"] for report in reports} == {"kubernetes", "dockerfile"}
    for report in reports:
        assert report["summary"]["passed"] > 100
        assert report["summary"]["failed"] == report["summary"]["parsing_errors"] == 0, report["results"]


def test_answers_to_checkov_have_reasons() -> None:
    before = ""
    for line in (DEPLOY / "checkov.yaml").read_text().splitlines():
        if re.match(r"\s+- CKV", line):
            assert before.lstrip().startswith(("#", "- CKV")), line
        before = line


def test_pods_meet_the_restricted_standard(manifests: list[Manifest]) -> None:
    namespace = of(manifests, "Namespace")["paraphe"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in pods(manifests):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not any(spec.get(host) for host in ("hostNetwork", "hostPID", "hostIPC")), name
        for container in containers(template):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert ":" in container["image"], name


def test_no_service_account_has_a_token(manifests: list[Manifest]) -> None:
    accounts = of(manifests, "ServiceAccount")
    assert _LONG_RUNNING | {"migrate", "backup"} == set(accounts)
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())


def test_nothing_talks_unless_allowed(manifests: list[Manifest]) -> None:
    policies = of(manifests, "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    data = policies["data"]["spec"]["podSelector"]["matchLabels"]
    for name, template in pods(manifests):
        labels = template["metadata"]["labels"]
        is_server = labels.get("paraphe/is") == "server"
        assert (labels.items() >= data.items()) != is_server, name


def reaches(manifests: list[Manifest], template: Manifest, address: str, port: int) -> bool:
    """Whether any policy lets a pod reach an address outside of the cluster: they add up."""
    rules = [
        rule
        for policy in of(manifests, "NetworkPolicy").values()
        if _selects(policy["spec"]["podSelector"], template["metadata"]["labels"])
        for rule in policy["spec"].get("egress", [])
    ]
    return any(
        port in [each["port"] for each in rule["ports"]]
        and ("to" not in rule or any(_covers(to["ipBlock"], address) for to in rule["to"] if "ipBlock" in to))
        for rule in rules
    )


def _selects(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    one_of = selector.get("matchExpressions", [])
    assert {each["operator"] for each in one_of} <= {"In"}
    return labels.items() >= wanted and all(labels.get(each["key"]) in each["values"] for each in one_of)


def _covers(block: Manifest, address: str) -> bool:
    inside = [ip_address(address) in ip_network(network) for network in (block["cidr"], *block.get("except", []))]
    return inside[0] and not any(inside[1:])


def test_webhooks_cannot_reach_private_addresses(manifests: list[Manifest]) -> None:
    notifier = dict(pods(manifests))["notifier"]
    assert reaches(manifests, notifier, "203.0.113.9", 443)
    for private in ("10.1.2.3", "169.254.169.254", "192.168.0.1", "fd00::1"):
        for port in (80, 443, 9000):
            assert not reaches(manifests, notifier, private, port), (private, port)


def test_the_servers_are_reached_by_those_who_use_them(manifests: list[Manifest]) -> None:
    for name, template in pods(manifests):
        if template["metadata"]["labels"].get("paraphe/is") == "server":
            continue
        assert reaches(manifests, template, "10.1.2.3", 5432), name
        uses_the_store = name not in ("migrate", "notifier")
        assert reaches(manifests, template, "10.1.2.3", 9000) == uses_the_store, name


def test_traces_may_go_out_where_they_are_sent(manifests: list[Manifest]) -> None:
    policy = of(manifests, "NetworkPolicy")["traces"]["spec"]
    (who,) = policy["podSelector"]["matchExpressions"]
    assert set(who["values"]) == {"gateway", "detector", "notifier"}
    assert policy["egress"] == [{"ports": [{"protocol": "TCP", "port": 4318}]}]
    assert settings(manifests)["PARAPHE_TRACING_ENDPOINT"] == ""


def test_secrets_are_referred_to_and_not_contained(rendered: dict[str, Path]) -> None:
    for overlay in ("cpu", "gpu"):
        assert of(list(yaml.safe_load_all(rendered[overlay].read_text())), "Secret") == {}
    assert "overlays/dev/secrets.env" in (ROOT / ".gitignore").read_text()


def test_settings_named_exist(manifests: list[Manifest]) -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    named = {name for config in of(manifests, "ConfigMap").values() for name in config["data"]}
    named |= {
        env["name"] for _, template in pods(manifests) for one in containers(template) for env in one.get("env", [])
    }
    ours = {name for name in named if name.startswith("PARAPHE_")}
    assert ours
    assert {name for name in ours if f"`{name}`" not in documented} == set()


def test_long_running_services_have_probes_and_spread(manifests: list[Manifest]) -> None:
    for name, deployment in of(manifests, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert {"livenessProbe", "readinessProbe"} <= set(container), name
        assert len(deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]) == 2, name
        assert container["ports"], name
    probes = of(manifests, "Deployment")["detector"]["spec"]["template"]["spec"]["containers"][0]
    assert probes["livenessProbe"]["exec"]["command"][-2:] == ["/opt/paraphe/healthcheck.py", "detector"]
    gateway = of(manifests, "Deployment")["gateway"]["spec"]["template"]["spec"]["containers"][0]
    assert gateway["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert gateway["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_drain_fits_into_the_grace(manifests: list[Manifest]) -> None:
    deployments = of(manifests, "Deployment")
    usual = {"gateway": GatewaySettings().drain_s, "detector": WorkerSettings().drain_s}
    for name, default in usual.items():
        spec = deployments[name]["spec"]["template"]["spec"]
        env = {each["name"]: each.get("value") for each in spec["containers"][0].get("env", [])}
        drain_s = float(env.get(f"PARAPHE_{name.upper()}_DRAIN_S") or default)
        assert spec["terminationGracePeriodSeconds"] >= drain_s + 15, name


def test_services_are_named_as_the_alerts_know_them(manifests: list[Manifest]) -> None:
    """The Prometheus operator takes a Service's name for the label ``job``."""
    measured = {
        name: service
        for name, service in of(manifests, "Service").items()
        if service["metadata"].get("labels", {}).get("paraphe/metrics") == "true"
    }
    assert set(measured) == {f"paraphe-{name}" for name in _LONG_RUNNING}
    for name, service in measured.items():
        spec = of(manifests, "Deployment")[name.removeprefix("paraphe-")]["spec"]["template"]
        assert spec["metadata"]["labels"].items() >= service["spec"]["selector"].items()
        assert service["spec"]["ports"][0]["port"] == spec["spec"]["containers"][0]["ports"][0]["containerPort"]


def test_the_ingress_lets_the_largest_document_through_and_not_much_more(manifests: list[Manifest]) -> None:
    annotations = of(manifests, "Ingress")["paraphe"]["metadata"]["annotations"]
    megabytes = LimitSettings().document_bytes / 2**20
    for annotation in ("nginx.ingress.kubernetes.io/proxy-body-size", "nginx.org/client-max-body-size"):
        assert megabytes < int(annotations[annotation].removesuffix("m")) <= megabytes * 1.1
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > GatewaySettings().wait_max_s


def test_people_behind_the_ingress_are_told_apart_and_cannot_pretend(manifests: list[Manifest]) -> None:
    """Or a stranger's failed log-ins lock everybody out; or he has as many addresses to guess from as he likes."""
    believed = settings(manifests)["FORWARDED_ALLOW_IPS"]
    ingress, person, colleague, pretended = "10.244.1.7", "203.0.113.9", "10.9.8.7", "198.51.100.1"
    for seen in (person, colleague):  # ingress-nginx says whom it sees, whatever the header was
        assert address_seen(believed, ingress, seen) == seen
    assert address_seen(believed, ingress, f"{pretended}, {person}") == person  # F5's ingress appends
    assert address_seen(believed, person, pretended) == person  # does not come through an ingress


def test_clusters_are_kept_up_and_scaled(rendered: dict[str, Path]) -> None:
    for overlay in ("cpu", "gpu"):
        manifests = list(yaml.safe_load_all(rendered[overlay].read_text()))
        assert set(of(manifests, "PodDisruptionBudget")) == _LONG_RUNNING
        assert of(manifests, "HorizontalPodAutoscaler")["gateway"]["spec"]["minReplicas"] == 2
        for name in ("gateway", "detector"):  # or each apply would undo what their autoscalers decided
            assert "replicas" not in of(manifests, "Deployment")[name]["spec"], name
        assert {"ServiceMonitor", "PrometheusRule", "ScaledObject"} <= {each["kind"] for each in manifests}


@pytest.mark.parametrize("overlay", ["cpu", "gpu"])
def test_detectors_scale_on_all_work_there_is_down_to_none(manifests: list[Manifest]) -> None:
    spec = of(manifests, "ScaledObject")["detector"]["spec"]
    assert spec["minReplicaCount"] == 0
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "postgresql"
    assert "'queued', 'processing'" in trigger["metadata"]["query"]
    env = of(manifests, "Deployment")["detector"]["spec"]["template"]["spec"]["containers"][0]["env"]
    threads = next(each["value"] for each in env if each["name"] == "PARAPHE_DETECTOR_THREADS")
    assert trigger["metadata"]["targetQueryValue"] == threads


def test_backups_are_paraphes_own_and_the_old_ones_go(manifests: list[Manifest]) -> None:
    spec = of(manifests, "CronJob")["backup"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["image"].partition(":")[0] == "paraphe-backup"
    command = container["command"]
    assert command[:4] == ["paraphe", "backup", "--into", "/backups"]
    assert int(command[command.index("--keep") + 1]) > 0
    assert {"name": "backups", "mountPath": "/backups"} in container["volumeMounts"]
    given = {reference for source in container["envFrom"] for reference in source}
    assert given == {"configMapRef", "secretRef"}, "it asks for the database and the object store"


def test_a_restore_is_what_the_backup_is_but_runs_once_and_for_as_long_as_it_takes(manifests: list[Manifest]) -> None:
    restore = of(manifests, "Job")["restore"]["spec"]
    nightly = of(manifests, "CronJob")["backup"]["spec"]["jobTemplate"]["spec"]
    assert "activeDeadlineSeconds" not in restore
    assert (restore["backoffLimit"], restore["template"]["spec"]["restartPolicy"]) == (0, "Never")
    (container,), (nightly_one,) = (job["template"]["spec"]["containers"] for job in (restore, nightly))
    assert container["command"][:3] == ["paraphe", "restore", "--from"]
    assert container == {**nightly_one, "command": container["command"]}


def test_the_jobs_of_backups_are_found_as_the_runbook_looks_for_them(manifests: list[Manifest]) -> None:
    (label,) = re.findall(
        r"get cronjob,job -l (\S+)=backup", (ROOT / "docs/runbooks/ParapheBackupTooOld.md").read_text()
    )
    nightly = of(manifests, "CronJob")["backup"]
    for metadata in (nightly["metadata"], nightly["spec"]["jobTemplate"]["metadata"]):
        assert metadata["labels"][label] == "backup"


def test_the_way_to_restore_stops_all_that_asks_the_database(manifests: list[Manifest]) -> None:
    """KEDA does, too: restore would refuse, and detectors come back while jobs are queued."""
    way = (ROOT / "docs/backup.md").read_text()
    (stopped,) = re.findall(r"kubectl -n paraphe scale deployment (.+) --replicas 0", way)
    assert set(stopped.split()) == set(of(manifests, "Deployment"))
    deleted = re.findall(r"kubectl -n paraphe delete scaledobject (\w+)", way)
    assert set(deleted) >= set(of(manifests, "ScaledObject"))
    suspended = re.findall(
        r"""kubectl -n paraphe patch cronjob (\w+) --patch '{"spec":{"suspend":(true|false)}}'""", way
    )
    assert suspended == [(name, which) for which in ("true", "false") for name in of(manifests, "CronJob")]


@pytest.mark.parametrize("overlay", ["gpu"])
def test_gpu_detectors_ask_for_a_gpu(manifests: list[Manifest]) -> None:
    spec = of(manifests, "Deployment")["detector"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert {container["image"].partition(":")[0] for container in containers({"spec": spec})} == {
        "paraphe-detector-gpu"
    }


@pytest.mark.parametrize("overlay", ["dev"])
def test_dev_needs_no_operator(manifests: list[Manifest]) -> None:
    foreign = {each["apiVersion"] for each in manifests if "." in each["apiVersion"].partition("/")[0]}
    assert all(group.partition("/")[0].endswith("k8s.io") for group in foreign), foreign
    assert set(of(manifests, "StatefulSet")) == {"postgres", "redis", "objects"}


@pytest.mark.parametrize("overlay", ["dev"])
def test_dev_is_one_of_everything(manifests: list[Manifest]) -> None:
    assert {name: each["spec"]["replicas"] for name, each in of(manifests, "Deployment").items()} == dict.fromkeys(
        _LONG_RUNNING, 1
    )
    assert of(manifests, "HorizontalPodAutoscaler") == {}
