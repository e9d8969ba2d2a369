"""The local form of the gateway: one Envoy configuration that needs nothing but the key set on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from kegai.gateway.routes import Route, Routes, Service, bounds, local_replies

_TYPE = "type.googleapis.com/envoy.extensions"
_LOOPBACK = "127.0.0.1"
_JWKS = PurePath(".kegai/jwks.json")

# Shorter than the 5 s after which uvicorn closes an idle connection: a request is never sent into a closing one.
_UPSTREAM_IDLE = "4s"

_TOKENS_KEPT = 1_000
"""Tokens whose signature was found good: it is checked once, and the time at which they expire every time."""


@dataclass(frozen=True)
class Places:
    """Where the gateway listens and what it finds where.

    `ports` replaces the default ports of services. `jwks` is the path of the key set; a relative one counts from the
    folder in which Envoy starts. Envoy reads it once: new keys need a restart of the gateway.
    """

    host: str = _LOOPBACK
    port: int = 8080
    admin_port: int = 9901
    ports: Mapping[str, int] = field(default_factory=dict)
    jwks: PurePath = _JWKS
    issuer: str | None = None
    audience: str | None = None


def configuration(routes: Routes, places: Places) -> dict[str, Any]:
    """Envoy's bootstrap for `routes` at `places`."""
    return {
        "admin": {"address": _address(_LOOPBACK, places.admin_port)},
        "overload_manager": {
            "resource_monitors": [
                _extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=10_000,
                )
            ]
        },
        "static_resources": {
            "listeners": [
                {
                    "name": "public",
                    "address": _address(places.host, places.port),
                    "per_connection_buffer_limit_bytes": 65_536,
                    "filter_chains": [{"filters": [_connection_manager(routes, places)]}],
                }
            ],
            "clusters": [
                _cluster(name, places.ports.get(name, service.port), service)
                for name, service in routes.services.items()
            ],
        },
    }


def _connection_manager(routes: Routes, places: Places) -> dict[str, Any]:
    strip = {"mutations": [{"remove": name} for name in routes.identity_headers]}
    return _extension(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="public",
        server_name="kegai",
        # An edge: what a client says in x-forwarded-for and x-envoy-* is not believed.
        use_remote_address=True,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        common_http_protocol_options={"idle_timeout": "3600s", "headers_with_underscores_action": "REJECT_REQUEST"},
        request_timeout=f"{routes.request_seconds_max}s",
        request_headers_timeout="10s",
        stream_idle_timeout="3600s",
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        early_header_mutation_extensions=[
            _extension(
                "envoy.http.early_header_mutation.header_mutation",
                "http.early_header_mutation.header_mutation.v3.HeaderMutation",
                **strip,
            )
        ],
        local_reply_config=local_replies(routes),
        http_filters=_filters(routes, places),
        route_config={
            "name": "public",
            "virtual_hosts": [
                {
                    "name": "public",
                    "domains": ["*"],
                    "routes": [_route(route, routes) for route in routes.longest_first()],
                }
            ],
        },
    )


def _filters(routes: Routes, places: Places) -> list[dict[str, Any]]:
    tokens = {
        "issuer": places.issuer or routes.token.issuer,
        "audiences": [places.audience or routes.token.audience],
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "require_expiration": True,
        "local_jwks": {"filename": str(places.jwks)},
        "jwt_cache_config": {"jwt_cache_size": _TOKENS_KEPT},
    }
    return [
        _extension(
            "envoy.filters.http.local_ratelimit",
            "filters.http.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="unlimited",
        ),
        _extension(
            "envoy.filters.http.jwt_authn",
            "filters.http.jwt_authn.v3.JwtAuthentication",
            providers={"kegai": tokens},
            requirement_map={
                "token": {"provider_name": "kegai"},
                "public": {"requires_any": {"requirements": [{"provider_name": "kegai"}, {"allow_missing": {}}]}},
            },
        ),
        _extension(
            "envoy.filters.http.buffer", "filters.http.buffer.v3.Buffer", max_request_bytes=routes.body_max_bytes
        ),
        _extension("envoy.filters.http.router", "filters.http.router.v3.Router", suppress_envoy_headers=True),
    ]


def _route(route: Route, routes: Routes) -> dict[str, Any]:
    # A separated prefix ends where a path segment ends; for the root there is nothing to separate.
    match = {"prefix": "/"} if route.prefix == "/" else {"path_separated_prefix": route.prefix}
    bucket = {
        "max_tokens": routes.rates[route.rate],
        "tokens_per_fill": routes.rates[route.rate],
        "fill_interval": "1s",
    }
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    unbuffered = {
        "envoy.filters.http.buffer": {"@type": f"{_TYPE}.filters.http.buffer.v3.BufferPerRoute", "disabled": True}
    }
    return {
        "match": match,
        **_destination(route, routes),
        "typed_per_filter_config": {
            "envoy.filters.http.jwt_authn": {
                "@type": f"{_TYPE}.filters.http.jwt_authn.v3.PerRouteConfig",
                "requirement_name": route.auth,
            },
            "envoy.filters.http.local_ratelimit": {
                "@type": f"{_TYPE}.filters.http.local_ratelimit.v3.LocalRateLimit",
                "stat_prefix": route.rate,
                "token_bucket": bucket,
                "filter_enabled": always,
                "filter_enforced": always,
            },
            **(unbuffered if route.streamed else {}),
        },
    }


def _destination(route: Route, routes: Routes) -> dict[str, Any]:
    if route.service is None:
        return {"direct_response": {"status": 404}}
    action: dict[str, Any] = {"cluster": route.service, "timeout": f"{routes.timeouts[route.timeout]}s"}
    if routes.streams(route):
        action["priority"] = "HIGH"  # with bounds and connections of its own
    else:
        # Only a read, and only one that never reached the service: a command is the client's to repeat, with its key.
        action["retry_policy"] = {
            "retry_on": "connect-failure",
            "num_retries": 2,
            "retriable_request_headers": [{"name": ":method", "string_match": {"exact": "GET"}}],
        }
    return {"route": action}


def _cluster(name: str, port: int, service: Service) -> dict[str, Any]:
    thresholds = [{"priority": "DEFAULT", **bounds(service.requests_max)}]
    if service.streams_max:
        thresholds.append({"priority": "HIGH", **bounds(service.streams_max)})
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(_LOOPBACK, port)}}]}],
        },
        "circuit_breakers": {"thresholds": thresholds},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": _UPSTREAM_IDLE},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _extension(name: str, kind: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{kind}", **settings}}


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
