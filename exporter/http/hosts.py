"""Which Host a request may name, and which pages may send it: against DNS rebinding and cross-site requests.

A browser on this machine lets every page send requests here. It says which host the page believes to talk to (Host),
where the page is from (Origin), and how the two are related (Sec-Fetch-Site). Knows headers as text, no HTTP library.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Final, Literal

from msgspec import Struct

from ..config.units import Address

Verdict = Literal["allowed", "host", "origin"]
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/@\s]+))(?::(\d{1,5}))?", re.ASCII)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class Caller(Struct, frozen=True):
    """The headers by which a request tells its origin; None for one that is missing."""

    path: str
    is_read: bool
    hosts: tuple[str, ...]
    origin: str | None = None
    site: str | None = None
    mode: str | None = None


class Hosts:
    """Decides by the address listened on, the names in ``server.hosts``, and the page origins allowed for some paths.

    ``checks_host`` is for an exporter without tokens, where whoever reaches it may do everything. Of hosts it then
    allows loopback names, the address listened on, the configured ones, and where it listens beyond this machine any IP
    address: only a name can be made to point here by somebody else.
    """

    def __init__(
        self,
        listen: Address = Address("127.0.0.1", 4318),  # noqa: B008 - immutable
        names: Collection[str] = (),
        origins: Mapping[str, Collection[str]] | None = None,
        *,
        checks_host: bool = False,
    ) -> None:
        self._checks_host = checks_host and "*" not in names
        self._any_address = not listen.is_loopback
        self._named = frozenset(map(_normal, names))
        self._names = self._named | {_normal(listen.host)}
        self._origins = {path: frozenset(some) for path, some in (origins or {}).items()}

    def check(self, caller: Caller) -> Verdict:
        """Say whether the request is for this exporter and from no page of somebody else."""
        if self._checks_host and not all(map(self._is_ours, caller.hosts)):
            return "host"
        if caller.origin is not None:
            return "allowed" if self._is_friend(caller.path, caller.origin, caller.hosts) else "origin"
        is_visit = caller.is_read and caller.mode == "navigate"  # a link that somebody follows
        return "allowed" if caller.site in (None, "same-origin", "none") or is_visit else "origin"

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _normal(match[1] or match[2])
        if name in self._names or (match[3] and f"{name}:{match[3]}" in self._names):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")
        return self._any_address or address.is_loopback

    def _is_friend(self, path: str, origin: str, hosts: tuple[str, ...]) -> bool:
        if origin in self._origins.get(path, ()):
            return True
        scheme, _, own = origin.partition("://")
        port = _DEFAULT_PORTS.get(scheme)
        if port is None:
            return False
        return any(_with_port(own, port) == _with_port(host, port) for host in hosts) or self._is_named(own, port)

    def _is_named(self, host: str, port: str) -> bool:
        """Whether it is a name in ``server.hosts``: a proxy may have put another Host in its place."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _normal(match[1] or match[2])
        return f"{name}:{match[3] or port}" in self._named or (match[3] is None and name in self._named)


def _normal(name: str) -> str:
    """A host name, or HOST:PORT, in small letters without a trailing dot; an IP address in its one usual form."""
    match = _HOST.fullmatch(name)
    if match is None:
        bare, port = name, None
    else:
        bare, port = match[1] or match[2], match[3]
    bare = bare.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(bare)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        bare = str(mapped or address)
    except ValueError:
        pass
    return f"{bare}:{port}" if port else bare


def _with_port(host: str, port: str) -> str:
    match = _HOST.fullmatch(host)
    return host if match is None else f"{_normal(match[1] or match[2])}:{match[3] or port}"
