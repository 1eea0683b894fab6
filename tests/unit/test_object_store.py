"""An S3 store as settings describe it."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.values.object_store import ObjectStore
from toolchain.project import APPLICATION

GIVEN: dict[str, Any] = {
    "bucket": "shop-backups",
    "endpoint": "https://s3.example.com",
    "prefix": "shop/production",
}


def store(**more: Any) -> ObjectStore:
    return ObjectStore.model_validate({**GIVEN, **more})


def test_a_store_is_reached_by_tls_at_its_usual_port() -> None:
    it = store()
    assert (it.host, it.port) == ("s3.example.com", 443)
    assert it.shown == "https://s3.example.com/shop-backups/shop/production"


def test_a_store_may_listen_elsewhere() -> None:
    it = store(endpoint="https://10.1.2.3:7070/", cidr="10.1.2.3/32")
    assert (it.endpoint, it.host, it.port) == ("https://10.1.2.3:7070", "10.1.2.3", 7070)


@pytest.mark.parametrize("bucket", ["abc", "shop.backups-1", "shop_backups", "a" * 63])
def test_a_bucket_is_called_as_a_store_allows(bucket: str) -> None:
    """Google's have underscores, too."""
    assert store(bucket=bucket).bucket == bucket


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"endpoint": "http://s3.example.com"}, "an https address"),
        ({"endpoint": "https://s3.example.com/bucket"}, "settings of their own"),
        ({"endpoint": "https://key:secret@s3.example.com"}, "secrets are given apart"),
        ({"bucket": "Shop_Backups"}, "a bucket's name"),
        ({"prefix": "/shop"}, "a folder such as"),
        ({"prefix": "shop/../other"}, "a folder such as"),
        ({"prefix": "shop/"}, "a folder such as"),
        ({"caBundle": "-----BEGIN PRIVATE KEY-----"}, "to be the text of a PEM file"),
        ({"endpoint": "https://10.1.2.3", "cidr": "10.2.0.0/16"}, "set cidr to 10.1.2.3/32"),
    ],
)
def test_what_would_not_work_is_refused_with_what_would(more: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        store(**more)


def generated(backup: object) -> dict[str, str]:
    """The secrets that `make up` makes, each with what a person is told of it."""
    settings = {"database": {"backup": backup}}
    return {it.key: it.advice for it in APPLICATION.generated(settings)}


def test_a_key_of_backups_is_made_where_they_leave_the_cluster_and_a_copy_is_asked_for() -> None:
    made = generated({"destination": {"mode": "s3"}})
    assert "keep a copy of what `pulumi config get todo:backupKey`" in made["todo:backupKey"]
    assert {*made} == {"todo:databasePassword", "todo:jwtKey", "todo:backupKey"}


@pytest.mark.parametrize("backup", [None, {}, {"keep": 3}, {"destination": {"mode": "volume"}}])
def test_no_key_is_made_where_they_stay_in_it(backup: object) -> None:
    assert {*generated(backup)} == {"todo:databasePassword", "todo:jwtKey"}
