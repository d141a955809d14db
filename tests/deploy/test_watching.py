"""What is drawn and written of metrics is what the processes tell."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bot.metrics import BotMetrics
from inference.metrics import WorkerMetrics
from tests.deploy.composed import MAIN, PROJECT, services

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count", ""),
    "info": ("_info",),
}
DASHBOARD = PROJECT / "deploy/grafana/dashboards/commonroom.json"


@pytest.fixture(scope="module")
def told() -> set[str]:
    registries: list[CollectorRegistry] = [BotMetrics().registry, WorkerMetrics().registry]
    return {
        family.name + suffix
        for registry in registries
        for family in registry.collect()
        for suffix in SUFFIXES[family.type]
    }


def named(text: str) -> set[str]:
    return set(re.findall(r"\b(?:commonroom|process)_[a-z_]+", text))


def expressions() -> Iterator[tuple[str, Any]]:
    for panel in json.loads(DASHBOARD.read_bytes())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"], panel


def test_the_dashboard_draws_metrics_that_exist(told: set[str]) -> None:
    drawn = named(" ".join(expression for expression, _ in expressions()))
    assert drawn <= told
    assert len(drawn) > 20
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_bytes())["panels"]]
    assert len(ids) == len(set(ids))


def test_alerts_watch_metrics_that_exist(told: set[str]) -> None:
    [group] = yaml.safe_load((PROJECT / "deploy/alerts.yml").read_text())["groups"]
    for rule in group["rules"]:
        assert named(rule["expr"]) <= told, rule["alert"]
        assert rule["annotations"]["summary"]


def test_the_page_names_metrics_that_exist_and_none_is_left_out(told: set[str]) -> None:
    page = named((PROJECT / "docs/metrics.md").read_text("utf-8"))
    assert page <= told
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in told if "commonroom" in name}
    assert ours <= page


def test_prometheus_asks_where_the_services_listen() -> None:
    jobs = yaml.safe_load((PROJECT / "deploy/prometheus.yml").read_text())["scrape_configs"]
    for job in jobs:
        [where] = job["dns_sd_configs"]
        for name in where["names"]:
            environment = services(MAIN)[name]["environment"]
            assert str(where["port"]) in environment.values()
            assert set(services(MAIN)[name]["networks"]) & set(
                services(MAIN)["prometheus"]["networks"]
            )
