"""Draws that depend on their name only: the same parts give the same number in every process and on every machine.

No generator is carried along, so any day of any unit can be made without making the days before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

T = TypeVar("T")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@lru_cache(maxsize=200_000)
def key(*parts: object) -> int:
    """A 64-bit key of the named parts."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def draw(*parts: object) -> float:
    """One number in [0, 1) that belongs to the named parts."""
    return (key(*parts) >> 11) * 2.0**-53


def draws(count: int, *parts: object) -> Floats:
    """``count`` independent numbers in [0, 1) that belong to the named parts (splitmix64)."""
    start = np.uint64(key(*parts))
    with np.errstate(over="ignore"):
        mixed = start + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    return _uniform(mixed)


def numbers(count: int, *parts: object) -> Integers:
    """``count`` independent whole numbers in [0, 2**53) that belong to the named parts."""
    scaled: Integers = (draws(count, *parts) * 2.0**53).astype(np.int64)
    return scaled


def draws_at(moments: Integers, *parts: object) -> Floats:
    """A number in [0, 1) for each of ``moments``, whatever other moments are asked for with it."""
    with np.errstate(over="ignore"):
        mixed = np.uint64(key(*parts)) + moments.astype(np.uint64) * _GOLDEN
    return _uniform(mixed)


def _uniform(mixed: npt.NDArray[np.uint64]) -> Floats:
    with np.errstate(over="ignore"):
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    uniform: Floats = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniform


def between(low: float, high: float, *parts: object) -> float:
    """One number in [low, high) that belongs to the named parts."""
    return low + (high - low) * draw(*parts)


def whole(low: int, high: int, *parts: object) -> int:
    """One whole number from low to high, both included, that belongs to the named parts."""
    return low + int(draw(*parts) * (high - low + 1))


def pick(options: Sequence[T], *parts: object) -> T:
    """One of ``options`` that belongs to the named parts."""
    return options[int(draw(*parts) * len(options))]
