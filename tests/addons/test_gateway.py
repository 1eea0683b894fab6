"""The gateway: what it declares, and what its settings refuse."""

from typing import Any

import pulumi
import pytest

from addons.gateway.gateway import Gateway, GatewayArgs
from addons.gateway.other_controllers import OtherControllers
from addons.gateway.settings import GatewaySettings
from addons.settings.parse import parse_settings
from stack_settings.errors import SettingsError
from tests.addons.program import addon_settings, run_addons
from tests.addons.test_local_authority import AUTHORITY
from tests.recording import Recording, record

LOCAL = {"mode": "local", "hosts": ["todo.localhost"]}


def declared(**settings: Any) -> Recording:
    given = GatewaySettings.model_validate({"certificate": LOCAL, **settings})

    def program() -> None:
        authority = pulumi.Output.secret(AUTHORITY)
        Gateway("gateway", GatewayArgs(settings=given, authority=authority))

    return record(program)


def proxy(recording: Recording) -> dict[str, Any]:
    return recording.one("EnvoyProxy").inputs["spec"]["provider"]["kubernetes"]


def listeners(recording: Recording) -> dict[str, dict[str, Any]]:
    return {it["name"]: it for it in recording.one("Gateway", "public").inputs["spec"]["listeners"]}


def test_nothing_is_served_in_the_clear_but_the_way_to_https() -> None:
    recording = declared(exposure={"mode": "nodePorts", "https": 31443})
    assert listeners(recording)["http"]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    (rule,) = recording.one("HTTPRoute").inputs["spec"]["rules"]
    (redirection,) = rule["filters"]
    assert redirection["requestRedirect"] == {"scheme": "https", "port": 31443, "statusCode": 301}
    assert "backendRefs" not in rule


def test_behind_a_load_balancer_it_leads_to_the_usual_port() -> None:
    (rule,) = declared().one("HTTPRoute").inputs["spec"]["rules"]
    assert rule["filters"][0]["requestRedirect"]["port"] == 443


def test_browsers_are_told_to_come_back_over_https_by_the_encrypted_listener_alone() -> None:
    policy = declared(hstsSeconds=600).one("ClientTrafficPolicy").inputs["spec"]
    assert [it["sectionName"] for it in policy["targetRefs"]] == ["https"]
    (header,) = policy["headers"]["lateResponseHeaders"]["set"]
    assert header == {"name": "Strict-Transport-Security", "value": "max-age=600"}
    assert declared(hstsSeconds=0).of("ClientTrafficPolicy") == []


def test_a_host_of_this_machine_is_held_to_https_for_minutes_and_others_for_a_year() -> None:
    def seconds(**settings: Any) -> str:
        policy = declared(**settings).one("ClientTrafficPolicy").inputs["spec"]
        return policy["headers"]["lateResponseHeaders"]["set"][0]["value"]

    # It holds for every port of the host, where other things may answer.
    assert seconds() == "max-age=300"
    assert seconds(certificate={"mode": "existing", "secret": "s"}) == "max-age=31536000"


@pytest.mark.parametrize("mode", ["nodePorts", "loadBalancer"])
def test_the_proxies_see_the_clients_own_addresses(mode: str) -> None:
    service = proxy(declared(exposure={"mode": mode}))["envoyService"]
    assert service["externalTrafficPolicy"] == "Local"


def test_the_proxies_have_the_chosen_image_and_ports() -> None:
    image = "registry.example.com/envoy:1"
    recording = declared(
        exposure={"mode": "nodePorts", "http": 31080, "https": 31443}, images={"proxy": image}
    )
    ports = proxy(recording)["envoyService"]["patch"]["value"]["spec"]["ports"]
    assert {it["port"]: it["nodePort"] for it in ports} == {80: 31080, 443: 31443}
    assert proxy(recording)["envoyDeployment"]["container"]["image"] == image


def test_keys_stay_secret() -> None:
    secret = declared().one("Secret", "gateway-certificate")
    assert "PRIVATE KEY" not in str(secret.raw)
    assert "PRIVATE KEY" in secret.inputs["stringData"]["tls.key"]


def test_the_next_certificate_is_there_before_the_gateway_takes_it() -> None:
    recording = declared()
    # Pulumi names it, so it makes another before it takes this one away.
    assert recording.one("Secret", "gateway-certificate").kubernetes_name is None
    (reference,) = listeners(recording)["https"]["tls"]["certificateRefs"]
    assert reference["name"].startswith("gateway-certificate-")


def test_everybody_may_see_who_signs() -> None:
    (certificate,) = declared().one("ConfigMap", "public-authority").inputs["data"].values()
    assert certificate.count("-----BEGIN") == 1
    assert "PRIVATE KEY" not in certificate


def test_cert_manager_is_asked_for_the_hosts() -> None:
    certificate = {"mode": "certManager", "hosts": ["todo.example.com"], "issuer": "letsencrypt"}
    recording = declared(certificate=certificate)
    spec = recording.one("Certificate").inputs["spec"]
    assert spec["dnsNames"] == ["todo.example.com"]
    assert spec["issuerRef"]["name"] == "letsencrypt"
    (reference,) = listeners(recording)["https"]["tls"]["certificateRefs"]
    assert reference["name"] == spec["secretName"]
    assert recording.of("Secret") == []


def test_a_certificate_of_somebody_else_is_used_as_it_is() -> None:
    recording = declared(certificate={"mode": "existing", "secret": "wildcard"})
    (reference,) = listeners(recording)["https"]["tls"]["certificateRefs"]
    assert reference == {"name": "wildcard"}


def test_a_cluster_that_has_gateway_api_keeps_its_own() -> None:
    def groups(recording: Recording) -> list[str]:
        return [it.name for it in recording.resources if it.type.startswith("kubernetes:yaml")]

    both, own = groups(declared()), groups(declared(definitions={"gatewayApi": "present"}))
    assert set(both) - set(own) == {"gateway-gateway-api-definitions"}


def refused(gateway: dict[str, Any], **blocks: Any) -> str:
    tree = {"cluster": {"kind": "managed"}, "gateway": gateway, **blocks}
    with pytest.raises(SettingsError) as error:
        parse_settings(tree)
    return str(error.value)


def test_the_local_authority_certifies_no_host_of_the_public() -> None:
    hosts = {"mode": "local", "hosts": ["todo.example.com"]}
    assert "certManager" in refused({"certificate": hosts}, localAuthority={})


def test_a_local_certificate_needs_the_local_authority() -> None:
    assert "localAuthority: {}" in refused({"certificate": LOCAL})


def test_a_port_is_for_one_thing() -> None:
    ports = {"mode": "nodePorts", "http": 30500, "https": 30500}
    assert "two ports" in refused({"certificate": LOCAL, "exposure": ports}, localAuthority={})
    ports["http"] = 30080
    registry = {"hosts": ["10.0.0.1"], "nodePort": 30500}
    gateway = {"certificate": LOCAL, "exposure": ports}
    assert "registry.nodePort" in refused(gateway, localAuthority={}, registry=registry)


def test_who_makes_the_certificate_has_to_be_said() -> None:
    assert "certificate" in refused({})


class Classes:
    """A cluster with these classes of Gateways, by the names of their controllers; or none."""

    def __init__(self, **controllers: str) -> None:
        self.controllers = controllers

    def request(self, method: str, path: str, body: object = None) -> Any:
        assert (method, path) == ("GET", "/apis/gateway.networking.k8s.io/v1/gatewayclasses")
        if not self.controllers:
            return None
        return {
            "items": [
                {"metadata": {"name": name}, "spec": {"controllerName": controller}}
                for name, controller in self.controllers.items()
            ]
        }


ENVOYS = "gateway.envoyproxy.io/gatewayclass-controller"


def refuse_others(cluster: Classes) -> None:
    others = OtherControllers(api=cluster, controller=ENVOYS, own="envoy")
    others.refuse(pulumi.ResourceHookArgs("urn", "", "job", "Job"))


@pytest.mark.parametrize(
    "cluster", [Classes(), Classes(envoy=ENVOYS), Classes(envoy=ENVOYS, cilium="io.cilium/c")]
)
def test_beside_controllers_of_other_kinds_it_is_made(cluster: Classes) -> None:
    refuse_others(cluster)


def test_beside_another_envoy_gateway_it_is_not() -> None:
    """Each would make proxies for the other's Gateways, and overrule what it says of them."""
    with pytest.raises(pulumi.RunError) as refused:
        refuse_others(Classes(theirs=ENVOYS))
    said = str(refused.value)
    assert said.startswith(f"GatewayClass theirs has the controller {ENVOYS}")
    assert "leave gateway out of todo-addons:settings" in said
    assert "\n" not in said


def test_the_controller_comes_after_the_look_for_others() -> None:
    recording = run_addons(addon_settings("minikube"))
    job = recording.one("Job")
    assert "controller of gateway" in job.hooks
    assert job.urn in recording.one("Chart", "gateway").dependencies
