"""Both forms of the gateway, the local one and the cluster's, are made from the same routes and cannot drift apart."""

from pathlib import PurePath
from typing import Any

import yaml

from kegai.gateway.envoy import Places, configuration
from kegai.gateway.kubernetes import manifests
from kegai.gateway.routes import Routes, load

__all__ = ["Places", "committed_files", "envoy_yaml", "load"]

_MADE = "# Made from deploy/gateway/routes.yaml by `python -m kegai.gateway`: change that file, not this one.\n"
_LOCAL = PurePath("deploy/gateway/envoy.yaml")
_CLUSTER = PurePath("deploy/k8s/base/gateway")


def envoy_yaml(routes: Routes, places: Places) -> str:
    """The text of an Envoy configuration file for the given places."""
    return _text([configuration(routes, places)])


def committed_files(routes: Routes) -> dict[PurePath, str]:
    """Every generated file of the source tree, by its path from the root, with the text that it must have."""
    cluster = manifests(routes)
    return {
        _LOCAL: envoy_yaml(routes, Places()),
        **{_CLUSTER / name: _text(documents) for name, documents in cluster.items()},
    }


class _Plain(yaml.SafeDumper):
    """YAML without anchors: a value that is used twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the dumper asks it of every value
        return True


def _text(documents: list[dict[str, Any]]) -> str:
    # PyYAML's stubs know no dumper but their own.
    text: str = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return _MADE + text
