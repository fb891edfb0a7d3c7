"""What a person sees of a model's text: reasoning that models write into their output is taken out.

Used for answers and for judges' replies alike. Read: ``<think>`` and its kin (DeepSeek-R1, Qwen, Magistral, Kimi),
also where the chat template put the opening tag into the prompt, and the channels of OpenAI's harmony format.
"""

import re
from typing import Final

_NAMES: Final = r"(?:think|thinking|thought|reasoning|scratchpad)"
_TAG: Final = re.compile(rf"(?<!`)(?:<(/?){_NAMES}>|\[(/?)THINK\]|◁(/?)think▷)(?!`(?!``))", re.IGNORECASE)
_CHANNEL: Final = re.compile(r"<\|channel\|>(\w{1,64})[^<]{0,256}<\|message\|>((?:[^<]|<(?!\|))*)")
_BARE_CHANNELS: Final = re.compile(r"analysis.*assistantfinal", re.DOTALL)
"""Harmony's channels where the server left its special tokens out."""
_LONGEST: Final = 1 << 20
"""Characters of a text in which thoughts are looked for; a longer one is shown as it is."""


def visible(text: str) -> str:
    """Return the text without the model's thoughts; "" where it holds nothing else, the same where it has none."""
    if len(text) > _LONGEST:
        return text
    if text.startswith("analysis") and (bare := _BARE_CHANNELS.match(text)):
        return text[bare.end() :].strip()
    if not ("<" in text or "THINK]" in text or "think▷" in text):
        return text
    if "<|channel|>" in text:
        return "".join(said for channel, said in _CHANNEL.findall(text) if channel == "final").strip()
    shown = "".join(_shown(text))
    return text if shown == text else shown.strip()


def _shown(text: str) -> list[str]:
    """Return the pieces of the text outside of thoughts."""
    pieces: list[str] = []
    start, opened = 0, -1
    for tag in _TAG.finditer(text):
        if any(tag.groups()):
            if opened < 0:
                pieces.clear()  # the opening tag was part of the prompt
            start, opened = tag.end(), -1
        elif opened < 0:
            pieces.append(text[start : tag.start()])
            opened = tag.start()
    if opened < 0:
        return [*pieces, text[start:]]
    is_cut_off = not any(piece.strip() for piece in pieces)  # while it was still thinking
    return [] if is_cut_off else [*pieces, text[opened:]]
