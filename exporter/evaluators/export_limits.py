"""Was a text truncated by a limit of the exporter that sent it? Decides by its length."""

_LIMITS = frozenset({2**power for power in range(6, 21)} | {2**power - 1 for power in range(6, 21)}) | frozenset(
    digit * 10**power for power in range(2, 6) for digit in (1, 2, 3, 4, 5, 8, 10, 12)
)
"""Lengths at which exporters are usually told to cut attribute values."""


def cut_on_export(text: str) -> bool:
    """Whether the text is exactly as long, in characters or bytes of UTF-8, as a usual limit of attribute values."""
    return len(text) in _LIMITS or (not text.isascii() and len(text.encode("utf-8", "replace")) in _LIMITS)
