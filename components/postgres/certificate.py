"""TLS for PostgresStatefulSet: a key and a certificate made anew for every pod.

Nobody has to know the certificate. With `channel_binding=require` the client proves the password
over SCRAM-SHA-256-PLUS, and the proof holds for the certificate that it sees alone: a man in the
middle has another, and without the password no proof of his own. RFC 5802, "Channel Binding";
RFC 5929, "tls-server-end-point"; PostgreSQL manual, "SASL Authentication".
"""

import pulumi
import pulumi_kubernetes as k8s

from ..pod.restricted import container_resources, container_security, scratch_volume
from ..values.resources import Resources

core = k8s.core.v1

_VOLUME = "certificate"
_PATH = "/run/certificate"
# P-256: with Ed25519 there is no channel binding. The official image has openssl by ssl-cert.
_SCRIPT = f"""\
if ! command -v openssl > /dev/null; then
  echo 'this image has no openssl, which makes the certificate'
  exit 1
fi
umask 077
exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 3650 \\
  -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME" \\
  -keyout {_PATH}/tls.key -out {_PATH}/tls.crt
"""

SERVER_PARAMETERS = {
    "ssl": "on",
    "ssl_cert_file": f"{_PATH}/tls.crt",
    "ssl_key_file": f"{_PATH}/tls.key",
    "ssl_min_protocol_version": "TLSv1.2",
}
"""What tells the server to use the certificate."""
CLIENT_MODE = "require"
"""libpq's `sslmode` and `channel_binding` for every client of such a server."""


def certificate_container(
    name: str, image: pulumi.Input[str], resources: Resources
) -> core.ContainerArgs:
    """Returns the init container that makes key and certificate for a server of this name."""
    return core.ContainerArgs(
        name=_VOLUME,
        image=image,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", _SCRIPT],
        env=[core.EnvVarArgs(name="NAME", value=name)],
        resources=container_resources(resources),
        security_context=container_security(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[core.VolumeMountArgs(name=_VOLUME, mount_path=_PATH)],
    )


def certificate_volume() -> core.VolumeArgs:
    """Returns the volume, in memory, since a key belongs on no disk."""
    return scratch_volume(_VOLUME, "1Mi", in_memory=True)


def certificate_mount() -> core.VolumeMountArgs:
    """Returns the server's mount of the volume."""
    return core.VolumeMountArgs(name=_VOLUME, mount_path=_PATH, read_only=True)
