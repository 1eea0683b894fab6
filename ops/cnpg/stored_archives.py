"""The archives that an object store has, a folder each: of this stack's Cluster, or of a lost one.

Asked from the pod of the live server, as its backups do: this machine may not reach the store.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cluster_objects.json_tree import Json, part
from console.failure import Failure
from ops.copying.server import Server, reason

# Barman's programs know the archive of a name; which names there are, only the store itself says.
# Of the log the last folder is enough: PostgreSQL's names rise with timeline and place.
_LIST = r"""
import json, os, sys, tempfile

def listed(given):
    import boto3
    from botocore.config import Config

    authority = tempfile.NamedTemporaryFile("w", dir="/dev/shm")
    authority.write(given["authority"])
    authority.flush()
    store = boto3.client(
        "s3",
        endpoint_url=given["endpoint"],
        region_name=os.environ.get("AWS_DEFAULT_REGION"),
        aws_access_key_id=given["keyId"],
        aws_secret_access_key=given["secretKey"],
        verify=authority.name if given["authority"] else None,
        config=Config(connect_timeout=10, read_timeout=60, retries={"max_attempts": 3}),
    )
    def pages(prefix, **how):
        lister = store.get_paginator("list_objects_v2")
        return lister.paginate(Bucket=given["bucket"], Prefix=prefix, **how)
    def folders(prefix):
        found = pages(prefix, Delimiter="/")
        return [it["Prefix"] for page in found for it in page.get("CommonPrefixes", ())]
    def files(prefix):
        return [it for page in pages(prefix) for it in page.get("Contents", ())]
    def text(file):
        got = store.get_object(Bucket=given["bucket"], Key=file["Key"])
        return got["Body"].read().decode()
    for archive in folders(given["folder"] + "/"):
        infos = [it for base in folders(archive + "base/") for it in files(base + "backup.info")]
        log = [it for last in folders(archive + "wals/")[-1:] for it in files(last)]
        yield {
            "name": archive[len(given["folder"]) + 1 : -1],
            "backups": [
                dict(line.split("=", 1) for line in text(it).splitlines() if "=" in line)
                for it in infos
            ],
            "logged": max(it["LastModified"] for it in log).isoformat() if log else None,
        }

try:
    for it in listed(json.loads(sys.stdin.readline())):
        print(json.dumps(it))
except Exception as error:
    sys.exit(f"error: {error}")
"""
# By the interpreter that Barman's programs name in their first line: it has what reaches the store.
_RUN = r"""
first="$(head -n 1 "$(command -v barman-cloud-backup-list)")"
case "$first" in
  '#!'*) exec ${first#'#!'} -c "$0" ;;
  *) echo 'error: the image of the database has no barman-cloud-backup-list' >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder of a bucket, with archives in it."""

    bucket: str
    folder: str

    @property
    def address(self) -> str:
        """The folder as the operator writes it."""
        return f"s3://{self.bucket}/{self.folder}"


@dataclass(frozen=True, kw_only=True)
class StoredArchive:
    """Base backups and the log of one Cluster."""

    place: Place
    name: str
    first: datetime | None
    """The earliest moment that it leads to; None: it has no base backup that ended."""
    logged: datetime | None
    """When the newest of its log was stored: it leads to no moment after that."""
    major: int | None
    """PostgreSQL's major version that made the newest base backup."""


def place_of(live: Json) -> Place:
    """Returns where a live Cluster's archive is, and perhaps others are beside it."""
    bucket, _, folder = str(_store(live)["destinationPath"]).removeprefix("s3://").partition("/")
    return Place(bucket=bucket, folder=folder.strip("/"))


def own_name(live: Json) -> str:
    """Returns what a live Cluster's archive is called."""
    return str(_store(live).get("serverName") or live["metadata"]["name"])


def stored_archives(server: Server, live: Json, place: Place) -> list[StoredArchive]:
    """Returns the archives of a folder, the one with the newest log first; only reads.

    Args:
        server: The server that takes writes now.
        live: Its Cluster, whose credentials open the store.
        place: The folder.

    Raises:
        Failure: The store could not be read.
    """
    given = json.dumps(_given(server, live, place))
    done = server.run(["sh", "-c", _RUN, _LIST], f"{given}\n")
    if done.code:
        raise Failure(
            f"The object store could not be read from {server.pod}: {reason(done)}; `python -m ops "
            "validate` says whether the log reaches it."
        )
    found = [_archive(json.loads(line), place) for line in done.out.splitlines() if line.strip()]
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda it: (it.logged or never, it.name), reverse=True)


def _store(live: Json) -> Json:
    return part(live, "spec", "backup", "barmanObjectStore")


def _given(server: Server, live: Json, place: Place) -> dict[str, str]:
    """Returns what opens the store; it goes through standard input, so it is in no process list."""
    store, credentials = _store(live), part(_store(live), "s3Credentials")

    def value(reference: Any) -> str:
        secret = server.cluster.get("Secret", str(reference["name"]))
        return base64.b64decode(str(part(secret, "data")[str(reference["key"])])).decode()

    authority = store.get("endpointCA")
    return {
        "bucket": place.bucket,
        "folder": place.folder,
        "endpoint": str(store["endpointURL"]),
        "keyId": value(credentials["accessKeyId"]),
        "secretKey": value(credentials["secretAccessKey"]),
        "authority": value(authority) if authority else "",
    }


def _archive(found: Json, place: Place) -> StoredArchive:
    backups: list[dict[str, str]] = found["backups"]
    done = sorted(
        (it for it in backups if it.get("status") == "DONE" and "end_time" in it),
        key=lambda it: _time(it["end_time"]),
    )
    version = done[-1].get("version", "") if done else ""
    return StoredArchive(
        place=place,
        name=str(found["name"]),
        first=_time(done[0]["end_time"]) if done else None,
        logged=_time(found["logged"]) if found["logged"] else None,
        # As PostgreSQL writes it in numbers: 170012.
        major=int(version) // 10000 if version.isdigit() else None,
    )


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
