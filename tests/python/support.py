# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests of the Python package share. Needs the environment that tests/python/CMakeLists.txt sets."""

import contextlib
import pathlib
import sys
import threading
import time
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]

try:
    import numpy
except ImportError:
    print("this Python has no NumPy")
    sys.exit(77)

_SMALL = numpy.uint64


def random_bits(counters):
    """SplitMix64 (Steele, Lea & Flood 2014) of an array of counters, as cli/selftest.cc has it."""
    with numpy.errstate(over="ignore"):
        z = (counters.astype(numpy.uint64) + _SMALL(1)) * _SMALL(0x9E3779B97F4A7C15)
        z = (z ^ (z >> _SMALL(30))) * _SMALL(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> _SMALL(27))) * _SMALL(0x94D049BB133111EB)
        return z ^ (z >> _SMALL(31))


def random_numbers(counter, size):
    """f32 numbers of both signs, magnitudes from 2^-24 to 1, every 16th of them zero."""
    with numpy.errstate(over="ignore"):
        bits = random_bits(_SMALL(counter) + numpy.arange(size, dtype=numpy.uint64))
    fraction = (bits >> _SMALL(40)).astype(numpy.float32) * numpy.float32(2.0**-24)
    signed = numpy.where((bits >> _SMALL(8)) & _SMALL(1), fraction, -fraction)
    numbers = numpy.ldexp(signed, -((bits >> _SMALL(4)) & _SMALL(7)).astype(numpy.int32))
    return numpy.where(bits % _SMALL(16) == 0, numpy.float32(0), numbers).astype(numpy.float32)


def most_at_once(library, prefix, calls):
    """Makes each of these calls in a thread of its own, some times, and returns how many calls of the library whose
    names have this prefix ran at the same time."""
    running, most, lock = 0, 0, threading.Lock()

    def counted(call):
        def count(*arguments):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                time.sleep(0.001)
                with alone:  # what is counted must not happen
                    return call(*arguments)
            finally:
                with lock:
                    running -= 1
        return count

    alone, errors = threading.Lock(), []

    def repeat(call):
        try:
            for _ in range(3):
                call()
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    with contextlib.ExitStack() as stack:
        for name, call in [*vars(library).items()]:
            if name.startswith(prefix) and not name.endswith("free"):
                stack.enter_context(mock.patch.object(library, name, counted(call)))
        threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return most


def to_bf16(numbers):
    """Bits of bf16, rounded to nearest even, of finite f32 numbers."""
    bits = numpy.ascontiguousarray(numbers, numpy.float32).view(numpy.uint32)
    return ((bits + numpy.uint32(0x7FFF) + ((bits >> numpy.uint32(16)) & numpy.uint32(1))) >> numpy.uint32(16)).astype(
        numpy.uint16)
