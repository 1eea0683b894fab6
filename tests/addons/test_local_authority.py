"""The local authority: what it certifies is believed, and nothing else; for how long it holds."""

import ssl
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from addons.local_authority.authority import certificate_of, is_authority, issue, new_authority
from addons.local_authority.permitted import is_permitted

TODAY = datetime.now(UTC).date()
AUTHORITY = new_authority(datetime.now(UTC))


def parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def handshake(certificate: str, key: str, host: str, factory: pytest.TempPathFactory) -> str:
    """Returns what a client that trusts the authority alone says to a server's certificate."""
    folder = factory.mktemp("server")
    (folder / "crt").write_text(certificate)
    (folder / "key").write_text(key)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(folder / "crt", folder / "key")
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.load_verify_locations(cadata=certificate_of(AUTHORITY))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname=host)
    client_is_done = False
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
            client_is_done = client_is_done or side is client
    return "believed" if client_is_done else "no handshake"


@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        (["todo.localhost", "api.todo.localhost"], "api.todo.localhost"),
        (["registry.registry.svc", "10.89.0.2"], "10.89.0.2"),
        (["registry.registry.svc", "10.89.0.2"], "registry.registry.svc"),
        (["127.0.0.1"], "127.0.0.1"),
    ],
)
def test_a_certificate_is_believed_by_who_trusts_the_authority(
    hosts: list[str], asked: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pair = issue(AUTHORITY, hosts, today=TODAY)
    assert handshake(pair.certificate, pair.key, asked, tmp_path_factory) == "believed"
    said = handshake(pair.certificate, pair.key, "other.localhost", tmp_path_factory)
    assert "mismatch" in said


@pytest.mark.parametrize("host", ["bank.example.com", "notlocalhost", "8.8.8.8"])
def test_whoever_has_its_key_can_pretend_to_be_no_site_of_others(
    host: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert not is_permitted(host)
    pair = issue(AUTHORITY, [host], today=TODAY)
    said = handshake(pair.certificate, pair.key, host, tmp_path_factory)
    assert "permitted subtree violation" in said


def test_the_same_day_gives_the_same_certificate_so_that_nothing_changes() -> None:
    first, again = (issue(AUTHORITY, ["todo.localhost"], today=TODAY) for _ in range(2))
    assert first == again


def test_it_is_renewed_long_before_it_ends() -> None:
    begin = date(2026, 1, 1)
    days = [begin + timedelta(days=day) for day in range(400)]
    issued = [issue(AUTHORITY, ["todo.localhost"], today=day) for day in days]
    for day, pair in zip(days, issued, strict=True):
        certificate = parsed(pair.certificate)
        assert certificate.not_valid_before_utc.date() < day
        assert certificate.not_valid_after_utc.date() - day > timedelta(days=59)
    assert len({pair.key for pair in issued}) in {14, 15}


def test_another_number_and_other_hosts_have_another_key() -> None:
    keys = {
        issue(AUTHORITY, hosts, today=TODAY, number=number).key
        for hosts in (["todo.localhost"], ["shop.localhost"])
        for number in (0, 1)
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "text",
    ["", "secret", certificate_of(AUTHORITY), AUTHORITY.replace("M", "N")],
)
def test_what_is_no_authority_is_noticed(text: str) -> None:
    assert is_authority(AUTHORITY)
    assert not is_authority(text)


def test_its_certificate_is_shown_without_its_key() -> None:
    assert "PRIVATE KEY" in AUTHORITY
    assert certificate_of(AUTHORITY).count("-----BEGIN") == 1
    assert "PRIVATE KEY" not in certificate_of(AUTHORITY)


def test_a_certificate_s_key_is_not_the_authority_s() -> None:
    pair = issue(AUTHORITY, ["todo.localhost"], today=TODAY)
    own = serialization.load_pem_private_key(pair.key.encode(), None).public_key()
    assert parsed(pair.certificate).public_key() == own
    assert parsed(certificate_of(AUTHORITY)).public_key() != own
