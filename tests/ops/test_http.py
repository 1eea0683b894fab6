"""Asking over TLS: whom is believed, and where hosts of this machine's own are found."""

import re
from pathlib import Path
from typing import Any

import pytest

from ops import http
from tests.certificates import HOST, authority, server_certificate, serving
from tests.recording import ROOT


def test_an_authority_is_believed_once_it_is_trusted_and_about_that_host_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_AUTHORITIES", {})
    signer = authority(tmp_path, "local")
    with serving(*server_certificate(tmp_path, HOST, signer)) as url:
        with pytest.raises(http.NoAnswerError, match="not trusted here"):
            http.request("GET", url)
        assert http.certificate_days(url) is None
        http.trust("https://other.localhost", signer[0].read_text())
        with pytest.raises(http.NoAnswerError, match="not trusted here"):
            http.request("GET", url)
        http.trust(url, signer[0].read_text())
        # Found on this machine, whatever its resolver says, and asked by its own name.
        assert http.request("GET", url).text == url.removeprefix("https://")
        days = http.certificate_days(url)
        assert days is not None
        assert days > 28


def test_a_certificate_of_another_host_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_AUTHORITIES", {})
    signer = authority(tmp_path, "local")
    with serving(*server_certificate(tmp_path, "shop.localhost", signer)) as url:
        http.trust(url, signer[0].read_text())
        with pytest.raises(http.NoAnswerError, match="not trusted here"):
            http.request("GET", url)


def test_who_asks_waits_longer_than_the_frontend_waits_for_the_backend() -> None:
    source = (ROOT / "apps/frontend/server/backend.mts").read_text(encoding="utf-8")
    found = re.search(r"\bTIMEOUT_MS = ([\d_]+);", source)
    assert found is not None
    timeout: Any = http._TIMEOUT  # pyright: ignore[reportPrivateUsage]
    assert timeout.read_timeout > int(found[1]) / 1000
