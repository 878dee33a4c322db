#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What step() of the Python package costs beyond the engine's own step, on tensors of four elements.

    bench/python_overhead.py      needs the package, or the environment that docs/python.md names

The engine's time is that of its C call through a bare ctypes function, with the same gradients. All times are
CPU times of one thread, each the best of many runs.
"""

import ctypes
import time

import numpy as np

import adamant
from adamant import _library


def best(call, repeats):
    """Microseconds of this thread."""
    shortest = float("inf")
    for _ in range(15):
        start = time.thread_time()
        for _ in range(repeats):
            call()
        shortest = min(shortest, (time.thread_time() - start) / repeats)
    return 1e6 * shortest


def measure(count):
    """(engine, step(), step(grads) with the same arrays, engine with other arrays, step(grads) with other arrays)."""
    params, *grads = ([np.ones(4, np.float32) for _ in range(count)] for _ in range(3))
    optimizer = adamant.AdamW(params, threads=1)
    optimizer.set_grads(grads[0])
    report = _library.StepReport()
    bare = ctypes.CDLL(_library.c.path).adamant_step
    bare.argtypes = [ctypes.c_void_p] * 3
    pointers = [(ctypes.c_void_p * count)(*[grad.ctypes.data for grad in which]) for which in grads]
    structs = [_library.StepOptions(), *(_library.StepOptions(grads=each, grad_count=count) for each in pointers)]
    handle, filled = optimizer._handle.address, ctypes.addressof(report)
    options = [ctypes.addressof(each) for each in structs]

    def alternating(call, choices):
        def both():
            call(choices[0])
            call(choices[1])
        return lambda: best(both, repeats) / 2

    repeats = max(10, 4000 // count)
    other = alternating(lambda which: bare(handle, which, filled), options[1:])()
    own = best(lambda: bare(handle, options[0], filled), repeats)
    optimizer.step(grads[0])
    return (own, best(optimizer.step, repeats), best(lambda: optimizer.step(grads[0]), repeats), other,
            alternating(optimizer.step, grads)())


def main():
    print("| tensors | `step()` | `step(grads)`, the same arrays | `step(grads)`, other arrays |\n|---|---|---|---|")
    for count in (1, 148, 1000):
        own, step, same, other, new = measure(count)
        print(f"| {count} | {step - own:.1f} µs | {same - own:.1f} µs | {new - other:.1f} µs |")


if __name__ == "__main__":
    main()
