"""Parses durations, sizes and addresses. Every error names the cure; knows no section of the config."""

import ipaddress
import re
from typing import Final, Literal, NamedTuple

from ..metrics.births import LONGEST, Wait
from ..redaction import KINDS

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DURATION_PART: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d|w)", re.ASCII)
_SIZE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?(B|KiB|MiB|GiB|TiB)", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s/]+)):(\d{1,5})", re.ASCII)
_CLASS: Final = re.compile(r"\[!?\]?[^\]]*\]")
_BURN_WINDOW: Final = re.compile(r"(page|ticket)_([1-9]\d{0,4}[smhdw])", re.ASCII)
_MATCHER: Final = r'[A-Za-z_][A-Za-z0-9_]*(?:=~|!~|!=|=)"(?:[^"\\\n]|\\[^\n])*"'
_MATCHERS: Final = re.compile(rf"{_MATCHER}(?:, ?{_MATCHER})*", re.ASCII)
_OWN_LABELS: Final = frozenset(
    [
        "alertname",
        "app",
        "dimension",
        "evaluator",
        "evaluator_version",
        "le",
        "level",
        "model_version",
        "objective",
        "prompt_version",
        "route",
        "sample",
        "severity",
        "sli",
        "suite",
        "verdict",
        "window",
    ]
)
_URL: Final = r"https?://[^\s\"'{}<>]+"
_LONGEST_GLOB: Final = 256
_LONGEST_SECONDS: Final = 100 * 365 * 86400.0


class UnitError(ValueError):
    """A text that cannot be read; says why and what to write."""


class Address(NamedTuple):
    """Where to listen: a host name or IP address (IPv6 without brackets) and a port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Can only this machine reach it?"""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def duration(text: str) -> float:
    """Seconds of "2s", "1h30m" or "7d"; ValueError for anything else, and for nothing at all."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UnitError(f'"{text}" is not a duration: write a number and ms, s, m, h, d or w, such as "30s"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise UnitError(f'"{text}" is not possible: a duration must be above 0 and at most 100 years')
    return seconds


def birth(text: str) -> Wait:
    """Seconds of a duration of at most five minutes, "auto" for itself, 0 for "never"; ValueError for anything else."""
    if text in ("auto", "never"):
        return "auto" if text == "auto" else 0.0
    try:
        seconds = duration(text)
    except ValueError:
        raise UnitError(f'"{text}" is not possible: write auto, never, or a duration such as "75s"') from None
    if seconds > LONGEST:
        raise UnitError(f'"{text}" is not possible: a new series is held for {LONGEST / 60:.0f}m at most')
    return seconds


def size(text: str) -> int:
    """Bytes of "64MiB" or "512B"; ValueError for anything else, and for nothing at all."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UnitError(f'"{text}" is not a size: write a number and B, KiB, MiB, GiB or TiB, such as "64MiB"')
    number = round(float(match[1]) * _BYTES[match[2]])
    if not 0 < number < 1 << 62:
        raise UnitError(f'"{text}" is not possible: a size must be at least 1B and less than 4194304TiB')
    return number


def address(text: str) -> Address:
    """The Address of "127.0.0.1:4318" or "[::1]:4318"; ValueError where host or port is missing or wrong."""
    match = _ADDRESS.fullmatch(text)
    if match is None or (match[1] and not _is_ipv6(match[1])):
        raise UnitError(f'"{text}" is not an address: write HOST:PORT, such as "127.0.0.1:4318" or "[::1]:4318"')
    if int(match[3]) > 65535:
        raise UnitError(f'port {match[3]} in "{text}" is above 65535')
    return Address(match[1] or match[2], int(match[3]))


def grpc(text: str) -> Address | Literal["auto", "none"]:
    """As ``address``, or "auto" or "none" for themselves."""
    if text in ("auto", "none"):
        return "auto" if text == "auto" else "none"
    try:
        return address(text)
    except UnitError as error:
        raise UnitError(f"{error}; or auto, or none") from None


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def glob(text: str) -> str:
    """The glob itself, with surrounding spaces refused; ValueError where it can match nothing that is meant."""
    if not text or text != text.strip():
        raise UnitError(f'"{text}" is not a pattern: it is empty or has spaces around it ("*" matches everything)')
    if len(text) > _LONGEST_GLOB:
        raise UnitError(f"a pattern of {len(text)} characters is too long: at most {_LONGEST_GLOB}")
    if "[" in _CLASS.sub("", text):
        raise UnitError(f'"{text}" has a "[" without its "]": to match the character itself, write "[[]"')
    return text


def variable(text: str) -> str:
    """The name of an environment variable itself; ValueError where no shell could set it."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text, re.ASCII):
        raise UnitError("is not the name of an environment variable: give the name, never the secret itself")
    return text


def attribute(text: str) -> str:
    """The name of a span or resource attribute itself; ValueError where it is empty or has spaces in it."""
    if not text or re.search(r"\s", text):
        raise UnitError(f'"{text}" is not the name of an attribute: it is empty or has spaces in it')
    return text


def burn_window(text: str) -> tuple[Literal["page", "ticket"], str]:
    """The severity and the long window of "page_1h"; ValueError for anything else."""
    match = _BURN_WINDOW.fullmatch(text)
    if match is None:
        raise UnitError(f'"{text}" is not a window: write page or ticket, _ and its long window, such as "page_1h"')
    return "page" if match[1] == "page" else "ticket", match[2]


def job(text: str) -> str:
    """The name of a Prometheus scrape job itself; ValueError where a rule could not name it."""
    if not re.fullmatch(r"[\w./:-]+", text):
        raise UnitError(f'"{text}" is not possible: the name of a job has letters, digits, and _ . / : - alone')
    return text


def place_label(text: str) -> str:
    """The name of a label that Prometheus adds itself; ValueError where there can be none, or llmq has it already."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text, re.ASCII):
        raise UnitError(f'"{text}" is not a label: its name has letters, digits and _, and starts with a letter')
    if text in _OWN_LABELS:
        raise UnitError(f'"{text}" is a label of llmq\'s own, which rules keep in any case: leave it out')
    return text


def matchers(text: str) -> str:
    """Matchers of a PromQL selector themselves, or nothing; ValueError for anything else."""
    if text and not _MATCHERS.fullmatch(text):
        raise UnitError(
            f'\'{text}\' is not a selector: write matchers without braces, such as namespace="prod",cluster=~"eu.*"'
        )
    return text


def url(text: str) -> str:
    """The address of a page itself; ValueError where it is none, or would be a template in a rule."""
    if not re.fullmatch(_URL, text):
        raise UnitError(f'"{text}" is not a URL: write "https://HOST/PATH"')
    return text


def trace_url(text: str) -> str:
    """The address of a trace itself, with {trace_id} in it; ValueError where it is none. "" is no address."""
    if text and (text.count("{trace_id}") != 1 or not re.fullmatch(_URL, text.replace("{trace_id}", ""))):
        raise UnitError(f'"{text}" is not the URL of a trace: write "https://HOST/PATH/{{trace_id}}"')
    return text


def placeholder(text: str) -> str:
    """The name of a placeholder itself; ValueError where it could not be told from other text, or is a built-in one."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", text, re.ASCII):
        raise UnitError(f'"{text}" is not possible: the name of a pattern has small letters, digits and _ alone')
    if text in KINDS:
        raise UnitError(f'"{text}" is a kind that is built in: name it under redact, or give the pattern another name')
    return text


def origin(text: str) -> str:
    """The origin of web pages itself; ValueError where it is not one as browsers send it."""
    if not re.fullmatch(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", text):
        raise UnitError(f'"{text}" is not an origin: write "https://HOST" in small letters, without a path')
    return text


def host(text: str) -> str:
    """A host, or HOST:PORT, as requests name it, or "*"; ValueError where no Host header could say that."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", text)
    if text != "*" and (match is None or (match[1] and not _is_ipv6(match[1]))):
        raise UnitError(f'"{text}" is not a host: write NAME or NAME:PORT, such as "llmq.example.org", or "*" for any')
    return text


def rubric(text: str) -> str:
    """The name of a rubric itself; ValueError where it could not be a label's value and a key."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text, re.ASCII):
        raise UnitError(f'"{text}" is not possible: the name of a rubric has small letters, digits and _ alone')
    return text


_SQLITE: Final = re.compile(r"sqlite:///(?!:memory:\Z)(?!/*\Z)[^?#\x00]+")
_NO_STORE: Final = 'is not a store: write "sqlite:///FILE", with four slashes for an absolute path'


def schema(text: str) -> str:
    """The name of a schema; ValueError where it would have to be quoted."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text):
        raise UnitError("is not the name of a schema: write lower-case letters, digits and _, at most 63")
    return text


def store(text: str) -> str:
    """The store's URL itself; ValueError where it is not of a kind that we have."""
    if re.fullmatch(r"postgres(?:ql)?://[^\x00\s]+", text):
        if re.match(r"\w+://[^/@]*:[^/@]*@", text) or re.search(r"[?&]password=", text):
            raise UnitError("has a password in it, which GET /config would show: put it where store.password says")
        return text
    if not _SQLITE.fullmatch(text):
        raise UnitError(f'{_NO_STORE}, or "postgresql://USER@HOST/DATABASE"')
    return text
