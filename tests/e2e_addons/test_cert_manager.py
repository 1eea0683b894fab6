"""The certificate that is asked of cert-manager, held against its published definition."""

from tests.addons.program import run_addons
from tests.e2e.dry_run import scratch_namespace, send


def test_cert_manager_would_take_the_certificate_that_is_asked_of_it() -> None:
    certificate = {"mode": "certManager", "hosts": ["todo.example.com"], "issuer": "letsencrypt"}
    settings = {"cluster": {"kind": "managed"}, "gateway": {"certificate": certificate}}
    manifest = run_addons(settings, {}).one("Certificate").inputs
    with scratch_namespace() as namespace:
        manifest["metadata"]["namespace"] = namespace
        done = send(manifest)
        assert (done.returncode, done.stderr) == (0, "")
        manifest["spec"]["hosts"] = manifest["spec"].pop("dnsNames")
        assert send(manifest).returncode != 0
