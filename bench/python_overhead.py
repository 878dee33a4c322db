#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What step() of the Python package, and of adamant.torch where there is torch, costs beyond the engine's own step, on
tensors of four elements.

    bench/python_overhead.py      needs the package, or the environment that docs/python.md names

The engine's time is that of its C call through a bare ctypes function, on the same memory, with gradients at the same
addresses as before or at others, as in the step. All times are CPU times of one thread, each the best of many runs.
"""

import ctypes
import time

import numpy as np

import adamant
from adamant import _library

try:
    import torch

    import adamant.torch
except ImportError:
    torch = None


def best(call, choices, count, prepare=lambda choice: None):
    """Microseconds of call(choice), for each of the choices in turn; what prepare(choice) takes is not counted."""
    repeats = max(10, 4000 // count)
    shortest = float("inf")
    for _ in range(15):
        taken = 0.0
        for _ in range(repeats):
            for choice in choices:
                prepare(choice)
                start = time.thread_time()
                call(choice)
                taken += time.thread_time() - start
        shortest = min(shortest, taken / repeats / len(choices))
    return 1e6 * shortest


def engine_of(handle):
    """The C call alone, for the address of its options."""
    bare = ctypes.CDLL(_library.c.path).adamant_step
    bare.argtypes = [ctypes.c_void_p] * 3
    report = _library.StepReport()
    return lambda options: bare(handle.address, ctypes.addressof(options), ctypes.addressof(report))


def options_for(addresses):
    return _library.StepOptions(grads=(ctypes.c_void_p * len(addresses))(*addresses), grad_count=len(addresses))


def measure_numpy(count):
    """What step(), step(grads) with the same arrays, and step(grads) with other arrays take beyond the engine."""
    params, *grads = ([np.ones((2, 2), np.float32) for _ in range(count)] for _ in range(3))
    optimizer = adamant.AdamW(params, threads=1)
    optimizer.step(grads[0])
    engine = engine_of(optimizer._handle)
    options = [options_for([grad.ctypes.data for grad in which]) for which in grads]
    same, other = best(engine, [_library.StepOptions()], count), best(engine, options, count)
    optimizer.step(grads[0])
    return (best(lambda _: optimizer.step(), grads[:1], count) - same,
            best(optimizer.step, grads[:1], count) - same, best(optimizer.step, grads, count) - other)


def measure_torch(count):
    """What step() with the same gradients, and with other gradients, takes beyond the engine."""
    torch.set_num_threads(1)
    params = [torch.nn.Parameter(torch.ones(2, 2)) for _ in range(count)]
    grads = [[torch.ones(2, 2) for _ in params] for _ in range(2)]
    optimizer = adamant.torch.AdamW(params, threads=1)

    def give(which):
        for param, grad in zip(params, which):
            param.grad = grad

    step = [best(lambda _: optimizer.step(), choices, count, give) for choices in (grads[:1], grads)]
    engine = engine_of(optimizer._handle)
    options = [options_for([grad.data_ptr() for grad in which]) for which in grads]
    return [taken - best(engine, choices, count) for taken, choices in zip(step, (options[:1], options))]


def table(measured, *columns):
    print(f"| tensors | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for count in (1, 148, 1000):
        print(f"| {count} | {' | '.join(f'{each:.1f} µs' for each in measured(count))} |")


def main():
    table(measure_numpy, "`step()`", "`step(grads)`, the same arrays", "`step(grads)`, other arrays")
    if torch is not None:
        table(measure_torch, "torch, the same gradients", "torch, other gradients")


if __name__ == "__main__":
    main()
