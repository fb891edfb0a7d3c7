from collections.abc import Sequence
from typing import Any

def attributes(messages: Sequence[bytes], /) -> tuple[dict[str, Any], int]: ...
