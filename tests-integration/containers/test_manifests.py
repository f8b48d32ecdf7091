"""The manifests fit the schemas of Kubernetes, and one another."""

from typing import cast

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
from containers.documents import KUBERNETES, NO_MANIFESTS, Document, at, documents_of, of_kind
from containers.documents import manifests as all_manifests
from ruamel.yaml import YAML

MANIFESTS = dict(all_manifests())
DEPLOYMENTS = {str(at(each, "metadata", "name")): each for each in of_kind("Deployment")}


def _container(deployment: Document) -> Document:
    containers = cast("list[Document]", at(deployment, "spec", "template", "spec", "containers"))
    assert len(containers) == 1
    return containers[0]


@pytest.mark.parametrize("version", ["1.29", "1.33", "1.37"])
@pytest.mark.parametrize("name", MANIFESTS)
def test_each_manifest_fits_the_strict_schema_of_its_kind(name: str, version: str) -> None:
    manifest = cast("dict[str, object]", MANIFESTS[name])
    assert kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_key_of_a_manifest_would_be_found() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "datta": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_kustomize_applies_every_manifest() -> None:
    (kustomization,) = documents_of(KUBERNETES / "kustomization.yaml")
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - NO_MANIFESTS
    assert set(cast("list[str]", kustomization["resources"])) == files


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_run_without_privileges_on_a_filesystem_they_cannot_write(name: str) -> None:
    pod = cast("Document", at(DEPLOYMENTS[name], "spec", "template", "spec"))
    container = _container(DEPLOYMENTS[name])
    assert at(pod, "securityContext", "runAsNonRoot") is True
    assert at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault"
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_probes_ask_the_port_of_the_health_endpoint(name: str) -> None:
    container = _container(DEPLOYMENTS[name])
    assert at(container, "readinessProbe", "httpGet") == {"path": "/ready", "port": "health"}
    assert at(container, "livenessProbe", "httpGet") == {"path": "/live", "port": "health"}
    ports = {port["name"]: port["containerPort"] for port in _list(container["ports"])}
    common = _yaml(at(of_kind("ConfigMap")[0], "data", "common.yml"))
    assert ports["health"] == at(common, "health", "port")
    assert ports["metrics"] == at(common, "metrics", "prometheus", "port")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_may_live_longer_than_its_worker_takes_to_stop(name: str) -> None:
    common = _yaml(at(of_kind("ConfigMap")[0], "data", "common.yml"))
    grace = cast("int", at(common, "transport", "shutdownGracePeriodSeconds"))
    pod = at(DEPLOYMENTS[name], "spec", "template", "spec", "terminationGracePeriodSeconds")
    assert cast("int", pod) >= grace + 10


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_deployment_is_protected_and_scaled_by_what_waits(name: str) -> None:
    selector = at(DEPLOYMENTS[name], "spec", "selector")
    budgets = [at(each, "spec", "selector") for each in of_kind("PodDisruptionBudget")]
    assert budgets.count(selector) == 1
    (scaler,) = [
        each
        for each in of_kind("HorizontalPodAutoscaler")
        if at(each, "spec", "scaleTargetRef", "name") == name
    ]
    metric = at(scaler, "spec", "metrics", 0, "external", "metric", "name")
    (adapter,) = documents_of(KUBERNETES / "prometheus-adapter.yaml")
    assert metric == at(adapter, "rules", "external", 0, "name", "as")


@pytest.mark.parametrize("name", ["infinitic-engines", "infinitic-executors"])
def test_what_reads_in_order_is_not_scaled_beyond_its_partitions(name: str) -> None:
    common = _yaml(at(of_kind("ConfigMap")[0], "data", "common.yml"))
    (scaler,) = [
        each
        for each in of_kind("HorizontalPodAutoscaler")
        if at(each, "spec", "scaleTargetRef", "name") == name
    ]
    assert at(scaler, "spec", "maxReplicas") == at(common, "transport", "pulsar", "partitions")


def test_only_engines_know_the_secret() -> None:
    knowing = {name for name, each in DEPLOYMENTS.items() if "envFrom" in _container(each)}
    assert knowing == {"infinitic-engines"}
    (source,) = _list(_container(DEPLOYMENTS["infinitic-engines"])["envFrom"])
    (secret,) = of_kind("Secret")
    assert at(source, "secretRef", "name") == at(secret, "metadata", "name")


def _list(value: object) -> list[Document]:
    return cast("list[Document]", value)


def _yaml(text: object) -> Document:
    return cast("Document", YAML(typ="safe").load(str(text)))
