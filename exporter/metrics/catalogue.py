"""Every metric there is, in order. Declares none."""

from collections.abc import Iterator
from types import ModuleType

from . import families, own
from .series import Family


def _declared(module: ModuleType) -> Iterator[Family]:
    return (one for one in vars(module).values() if isinstance(one, Family))


CATALOGUE: tuple[Family, ...] = (*_declared(families), *_declared(own))
