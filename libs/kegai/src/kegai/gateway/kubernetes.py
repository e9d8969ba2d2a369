"""The cluster form of the gateway: Gateway API routes, and Envoy Gateway's policies for what they cannot say."""

from typing import Any

from kegai.gateway.routes import Route, Routes, bounds, local_replies

_STANDARD = "gateway.networking.k8s.io/v1"
_ENVOY_GATEWAY = "gateway.envoyproxy.io/v1alpha1"
_GATEWAY = "kegai"
_NAMESPACE = "kegai"
_SERVICE_PORT = 8000
_NO_SUCH_PATH = "no-such-path"


def manifests(routes: Routes) -> dict[str, list[dict[str, Any]]]:
    """The documents of each file of `deploy/k8s/base/gateway`, kustomization included."""
    files = {
        "gateway.yaml": [_gateway(), _clients(routes), _replies(routes)],
        "routes.yaml": [*(_http_route(route, routes) for route in routes.routes), _not_found()],
        "security.yaml": [_security(auth, routes) for auth in ("token", "public")],
        "traffic.yaml": [_traffic(route, routes) for route in routes.routes],
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": _NAMESPACE,
        "resources": list(files),
    }
    return {**files, "kustomization.yaml": [kustomization]}


def route_name(route: Route) -> str:
    """The name of the HTTPRoute of a prefix: `/api/v1/items` becomes `api-v1-items`, the root `root`."""
    return route.prefix.strip("/").replace("/", "-").replace(".", "-") or "root"


def _gateway() -> dict[str, Any]:
    listener = {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "Same"}}}
    return _resource(_STANDARD, "Gateway", _GATEWAY, {"gatewayClassName": "envoy-gateway", "listeners": [listener]})


def _clients(routes: Routes) -> dict[str, Any]:
    return _policy(
        "ClientTrafficPolicy",
        _GATEWAY,
        _gateway_reference(),
        {
            "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
            "headers": {
                "withUnderscoresAction": "RejectRequest",
                "requestID": "PreserveOrGenerate",
                "earlyRequestHeaders": {"remove": routes.identity_headers},
            },
            "timeout": {
                "http": {
                    "requestReceivedTimeout": f"{routes.request_seconds_max}s",
                    "idleTimeout": "3600s",
                    "streamIdleTimeout": "3600s",
                }
            },
            "connection": {"connectionLimit": {"value": 10_000}},
        },
    )


def _replies(routes: Routes) -> dict[str, Any]:
    patch = {
        "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": f"{_NAMESPACE}/{_GATEWAY}/http",
        "operation": {
            "op": "add",
            "path": "/default_filter_chain/filters/0/typed_config/local_reply_config",
            "value": local_replies(routes),
        },
    }
    return _resource(
        _ENVOY_GATEWAY,
        "EnvoyPatchPolicy",
        "replies",
        {"targetRef": _gateway_reference(), "type": "JSONPatch", "jsonPatches": [patch]},
    )


def _http_route(route: Route, routes: Routes) -> dict[str, Any]:
    rule: dict[str, Any] = {"matches": [{"path": {"type": "PathPrefix", "value": route.prefix}}]}
    if route.service is None:
        extension = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": _NO_SUCH_PATH}
        rule["filters"] = [{"type": "ExtensionRef", "extensionRef": extension}]
    else:
        rule["backendRefs"] = [{"name": route.service, "port": _SERVICE_PORT}]
        rule["timeouts"] = {"request": f"{routes.timeouts[route.timeout]}s"}
    spec = {"parentRefs": [{"name": _GATEWAY}], "rules": [rule]}
    resource = _resource(_STANDARD, "HTTPRoute", route_name(route), spec)
    resource["metadata"]["labels"] = {"kegai.cqast.cn/auth": route.auth}
    return resource


def _not_found() -> dict[str, Any]:
    return _resource(_ENVOY_GATEWAY, "HTTPRouteFilter", _NO_SUCH_PATH, {"directResponse": {"statusCode": 404}})


def _security(auth: str, routes: Routes) -> dict[str, Any]:
    provider = {
        "name": "kegai",
        "issuer": routes.token.issuer,
        "audiences": [routes.token.audience],
        "localJWKS": {"type": "ValueRef", "valueRef": {"group": "", "kind": "ConfigMap", "name": "kegai-jwks"}},
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
    }
    targets = {
        "targetSelectors": [
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "matchLabels": {"kegai.cqast.cn/auth": auth}}
        ]
    }
    return _resource(
        _ENVOY_GATEWAY,
        "SecurityPolicy",
        f"auth-{auth}",
        {**targets, "jwt": {"optional": auth == "public", "providers": [provider]}},
    )


def _traffic(route: Route, routes: Routes) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "rateLimit": {"local": {"rules": [{"limit": {"requests": routes.rates[route.rate], "unit": "Second"}}]}},
    }
    if not route.streamed:
        settings["requestBuffer"] = {"limit": str(routes.body_max_bytes)}
    if route.service is not None:
        service = routes.services[route.service]
        most = bounds(service.streams_max if routes.streams(route) else service.requests_max)
        settings["circuitBreaker"] = {
            "maxConnections": most["max_connections"],
            "maxPendingRequests": most["max_pending_requests"],
            "maxParallelRequests": most["max_requests"],
            "maxParallelRetries": most["max_retries"],
        }
        settings["timeout"] = {"tcp": {"connectTimeout": "1s"}, "http": {"connectionIdleTimeout": "4s"}}
        # The policy cannot tell a read from a command, so only routes that have nothing but reads are tried again.
        retried = route.auth == "public" and not routes.streams(route)
        settings["retry"] = {"numRetries": 2 if retried else 0, "retryOn": {"triggers": ["connect-failure"]}}
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route_name(route)}
    return _policy("BackendTrafficPolicy", route_name(route), target, settings)


def _policy(kind: str, name: str, target: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    return _resource(_ENVOY_GATEWAY, kind, name, {"targetRefs": [target], **settings})


def _gateway_reference() -> dict[str, Any]:
    return {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": _GATEWAY}


def _resource(version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
