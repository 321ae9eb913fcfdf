"""What follows from a manifest, worked out once for each."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from specwright.model.manifest import Manifest

T = TypeVar("T")


class _Same:
    """A manifest as the key of a cache: by identity, since hashing the tree costs more than the look-up."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.manifest is self.manifest

    def __hash__(self) -> int:
        return id(self.manifest)


def remembered(work: Callable[[Manifest], T]) -> Callable[[Manifest], T]:
    """The same function, which keeps its answers for the last four manifests."""

    @lru_cache(maxsize=4)
    def answer(same: _Same) -> T:
        return work(same.manifest)

    @wraps(work)
    def look_up(manifest: Manifest) -> T:
        return answer(_Same(manifest))

    return look_up
