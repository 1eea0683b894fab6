"""Namespaces beside the stack's own."""

import json

from tests.commands import succeeded
from tests.e2e.deployment import Deployment
from tests.waiting import until


def make_namespace(deployment: Deployment, name: str) -> None:
    """Makes a namespace that pods can be made in at once, unless it is there.

    The API server admits no pod without the account that the cluster puts into each namespace, and
    gives it one or two seconds to come.
    """
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    succeeded(deployment.try_kubectl("apply", "-f", "-", text=json.dumps(namespace)))
    own = ("serviceaccount/default", "configmap/kube-root-ca.crt")
    where = ("--namespace", name, "get", "--ignore-not-found", "--output", "name")
    until(
        "what each namespace has",
        lambda: len(deployment.kubectl(*where, *own).split()) == len(own),
        120,
    )
