"""Why a judge can give no verdict at all as it is configured, and what its operator does about it."""

from typing import Final, Literal

StopReason = Literal["model", "fingerprint", "credentials", "not_found", "request", "cut_off", "unparseable", "refused"]

CURES: Final[dict[StopReason, str]] = {
    "model": "name the model that replies in judge.model, or list it under judge.pin.models",
    "fingerprint": "list the fingerprint that replies under judge.pin.fingerprints",
    "credentials": "check judge.api_key and judge.request.headers",
    "not_found": "check judge.endpoint, judge.model and judge.request.query",
    "request": "switch off under judge.request what the endpoint refuses, or send less (max_characters of a rubric)",
    "cut_off": "raise judge.max_tokens: a model that thinks before it replies needs 8000 or more",
    "unparseable": "try another judge.request.response_format, or a model that keeps to a format",
    "refused": "loosen the content filter of the endpoint, or choose a judge that takes such cases",
}
"""What to do about each reason, as the end of a sentence."""
