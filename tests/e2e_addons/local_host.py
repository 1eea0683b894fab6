"""A host of `*.localhost` behind the gateway, asked as a browser asks, whatever resolvers say."""

import ssl
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, kw_only=True)
class LocalHost:
    """Where a host answers over TLS, and who signs its certificate."""

    name: str
    port: int
    authority: str
    """The certificate of the authority, as PEM."""
    address: str = "127.0.0.1"

    @property
    def netloc(self) -> str:
        """What a browser says that it asks."""
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """What a person types."""
        return f"https://{self.netloc}"

    @property
    def context(self) -> ssl.SSLContext:
        """Trusts the authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.authority)
        return context

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Returns the answer to one request on a connection of its own."""
        headers = {"Host": self.netloc, **more.pop("headers", {})}
        with httpx.Client(verify=self.context, timeout=30) as client:
            return client.request(
                method,
                f"https://{self.address}:{self.port}{path}",
                headers=headers,
                extensions={"sni_hostname": self.name},
                **more,
            )
