"""deploy/kubernetes, where no cluster is: as Kubernetes' own schemas and our settings see it."""

import re
import tomllib

import kubernetes_validate
import msgspec
import pytest
import yaml

from bot.config import BotSettings
from inference.config import ALSO, WorkerSettings
from tests.deploy.composed import MAIN, PROJECT, Json, script, services
from tests.deploy.conftest import Helped

FOLDER = PROJECT / "deploy" / "kubernetes"
OLDEST = "1.33"  # sidecars and pods' numbers are settled there
KNOWN = {variable for variable, _ in ALSO}
OURS: dict[str, type[msgspec.Struct]] = {"bot": BotSettings, "inference": WorkerSettings}

MANIFESTS: list[Json] = [
    manifest
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for manifest in yaml.safe_load_all(path.read_text("utf-8"))
]
NAMED = {(m["kind"], m["metadata"]["name"]): m for m in MANIFESTS}


def pod_of(manifest: Json) -> Json | None:
    spec = manifest.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    found: Json | None = spec.get("template", {}).get("spec")
    return found


PODS = {m["metadata"]["name"]: pod for m in MANIFESTS if (pod := pod_of(m))}


# Each with the pod that it is in.
CONTAINERS: list[tuple[str, Json, Json]] = [
    (name, pod, container)
    for name, pod in PODS.items()
    for container in [*pod["containers"], *pod.get("initContainers", [])]
]


def container(name: str) -> Json:
    return next(each for _, _, each in CONTAINERS if each["name"] == name)


def plain(name: str) -> dict[str, str]:
    """What its environment says outright, and through its ConfigMap."""
    given = {each["name"]: each["value"] for each in container(name)["env"] if "value" in each}
    return {**given, **NAMED["ConfigMap", name]["data"]}


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda m: f"{m['kind']} {m['metadata']['name']}"
)
def test_kubernetes_understands_it(manifest: Json) -> None:
    kubernetes_validate.validate(manifest, OLDEST, strict=True)


def test_everything_that_is_named_is_there() -> None:
    whole = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    apart = {"kustomization.yaml", "autoscaling.yaml"}
    assert {path.name for path in FOLDER.glob("*.yaml")} - apart == set(whole["resources"])
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {image["newTag"] for image in whole["images"]} == {project["version"]}
    ours = {c["image"] for _, _, c in CONTAINERS if "/" not in c["image"]}
    assert ours == {image["name"] for image in whole["images"]}
    stages = re.findall(r" AS (\w+)$", (PROJECT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert {image.removeprefix("commonroom-") for image in ours} <= set(stages)
    for _, pod, each in CONTAINERS:
        claimed = each.get("volumeMounts", [])
        offered = {v["name"] for v in pod["volumes"]} | {"data"}  # `data` is the queue's own claim
        assert {mount["name"] for mount in claimed} <= offered
        for source in each.get("envFrom", []):
            assert ("ConfigMap", source["configMapRef"]["name"]) in NAMED
    for kind, name in NAMED:
        if kind in {"PodDisruptionBudget", "HorizontalPodAutoscaler"}:
            assert name in PODS


@pytest.mark.parametrize(
    ("of", "pod", "container"), CONTAINERS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_nobody_has_a_privilege(of: str, pod: Json, container: Json) -> None:
    own, shared = container["securityContext"], pod["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert shared["runAsNonRoot"] is True
    assert shared["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own.get("runAsUser", shared.get("runAsUser")) in {999, 10001, 60700}
    assert pod["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["cpu"]
    assert of == "models" or container["livenessProbe"]


def test_secrets_are_files_of_those_who_need_them() -> None:
    holds: dict[str, set[str]] = {}
    for name, pod in PODS.items():
        for volume in pod["volumes"]:
            projected = volume.get("projected", {}).get("sources", [])
            for source in [volume.get("secret"), *(each["secret"] for each in projected)]:
                if source:
                    holds.setdefault(name, set()).update(item["key"] for item in source["items"])
    assert holds == {
        "redis": {"redis_password"},
        "inference": {"redis_url"},
        "bot": {"redis_url", "discord_token"},
    }
    for _, _, each in CONTAINERS:
        reads = {mount["name"] for mount in each["volumeMounts"]}
        assert (each["name"] in holds) == ("secrets" in reads)
        assert not any("secretKeyRef" in env.get("valueFrom", {}) for env in each.get("env", []))
        assert not any("secretRef" in source for source in each.get("envFrom", []))


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    known = {field.encode_name.upper() for field in msgspec.structs.fields(OURS[name])} | KNOWN
    given = plain(name)
    assert {variable.removesuffix("_FILE") for variable in given} <= known
    values = {k.lower(): v for k, v in given.items() if not k.endswith("_FILE")}
    if name == "bot":
        values |= {
            "discord_token": "t",
            "commonroom_shards": values["commonroom_shards"].replace("$(SHARD)", "0"),
        }
    msgspec.convert(values, OURS[name], strict=False)


def test_every_pod_of_the_bot_has_a_shard_of_its_own() -> None:
    spec = NAMED["StatefulSet", "bot"]["spec"]
    shards = plain("bot")["COMMONROOM_SHARDS"]
    pods = [shards.replace("$(SHARD)", str(number)) for number in range(spec["replicas"])]
    chosen = [BotSettings(discord_token="t", commonroom_shards=each).shards for each in pods]
    ids = [number for each in chosen if each for number in each.ids]
    assert ids == list(range(chosen[0].of if chosen[0] else 0))


def test_who_is_told_to_stop_has_the_time_to() -> None:
    drain = float(plain("inference")["INFERENCE_DRAIN_S"])
    assert drain + 10 <= PODS["inference"]["terminationGracePeriodSeconds"]
    for name, composed in services(MAIN).items():
        if name in PODS and "stop_grace_period" in composed:
            seconds = int(composed["stop_grace_period"].removesuffix("s"))
            assert PODS[name]["terminationGracePeriodSeconds"] == seconds


@pytest.mark.parametrize("name", OURS)
def test_probes_ask_where_it_listens(name: str) -> None:
    each = container(name)
    [port] = each["ports"]
    assert str(port["containerPort"]) == next(
        v for k, v in plain(name).items() if "METRICS_PORT" in k
    )
    asked = {kind: each[kind]["httpGet"] for kind in ("readinessProbe", "livenessProbe")}
    assert asked["readinessProbe"] == {"path": "/readyz", "port": port["name"]}
    assert asked["livenessProbe"] == {"path": "/healthz", "port": port["name"]}


def test_commands_are_ours(helped: Helped) -> None:
    for name, options in (("sandbox", {"check", "--socket"}), ("models", {"models", "pull"})):
        each = container(name)
        command = each.get("command") or each["startupProbe"]["exec"]["command"]
        _, _, module, *arguments = command
        assert options <= set(arguments)
        helped(module, *arguments)


def test_the_queue_s_server_starts_as_in_compose() -> None:
    command = container("redis")["command"]
    assert command[-1] == script(services(MAIN)["redis"]["command"])
    assert container("redis")["image"] == services(MAIN)["redis"]["image"]


def reached(kind: str, of: str) -> list[Json]:
    """The rules for pods called `of`, besides those for every pod."""
    found = []
    for manifest in MANIFESTS:
        spec = manifest["spec"] if manifest["kind"] == "NetworkPolicy" else {}
        selector = spec.get("podSelector", {})
        listed = [v for e in selector.get("matchExpressions", []) for v in e["values"]]
        if of in [*listed, selector.get("matchLabels", {}).get("app")]:
            found += spec.get(kind, [])
    return found


def test_who_reaches_whom() -> None:
    nothing = NAMED["NetworkPolicy", "nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    to = {name: [rule["ports"] for rule in reached("egress", name)] for name in PODS}
    redis, https = [{"protocol": "TCP", "port": 6379}], [{"protocol": "TCP", "port": 443}]
    assert to == {"inference": [redis], "bot": [redis, https], "redis": [], "models": [https]}
    [into_redis] = reached("ingress", "redis")
    assert into_redis["from"][0]["podSelector"]["matchExpressions"][0]["values"] == [
        "bot",
        "inference",
    ]
    assert [rule["ports"][0]["port"] for rule in reached("ingress", "bot")] == [9464]
