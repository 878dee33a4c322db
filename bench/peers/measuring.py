# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Times the steps of one package's peers in this process. Each peer takes turns, in rounds, with Adamant's rows and
with the ceiling: a loop with the loads and stores of an f32 step (28 bytes per parameter), on all processors."""

import ctypes
import gc
import importlib.metadata
import math
import os
import time

import numpy

import records
from peers.steps import OURS, THREADS, Step, Unavailable

CEILING = "ceiling"
TURN = 5e-3            # seconds that one turn takes at least
ROUNDS = range(5, 26)  # at least, at most; in between it is time that ends a measurement
SECONDS = 3.0          # of a peer on a workload
LARGE = 1 << 24        # parameters from which the peak of a step's memory is more than what counts it is wrong by


def gpt2():
    """The 148 tensors of GPT-2 with 124 million parameters: embeddings, twelve layers, the last norm."""
    width = 768
    layer = [(width,), (width,), (width, 3 * width), (3 * width,), (width, width), (width,),
             (width,), (width,), (width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    return [(50257, width), (1024, width), *12 * layer, (width,), (width,)]


def shapes_of(workload):
    """'GPT-2 124M', '64Mi' or '1000x4096'."""
    if workload == "GPT-2 124M":
        return gpt2()
    count, _, size = workload.rpartition("x")
    units = {"Ki": 1 << 10, "Mi": 1 << 20}
    size = int(size[:-2]) * units[size[-2:]] if size[-2:] in units else int(size)
    return [(size,)] * int(count or 1)


# ---- Memory


def arrays(value, key=""):
    """(key, array) of each array of any package in nested lists and dicts."""
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from arrays(each, key)
    elif hasattr(value, "items"):
        for name, each in value.items():
            yield from arrays(each, name)
    elif hasattr(value, "__tensor_flatten__"):
        for name in value.__tensor_flatten__()[0]:
            yield from arrays(getattr(value, name), key)
    elif hasattr(value, "nbytes") and hasattr(value, "shape"):
        yield key, value


def bytes_of(step):
    """(of the parameters with their low-order bits, of the states). What several tensors share counts once."""
    sums = {"weights": 0, "states": 0}
    seen = set()
    for kind, value in (("weights", step.weights()), ("states", step.states())):
        for key, array in arrays(value):
            identity = array.data_ptr() if hasattr(array, "data_ptr") else id(array)
            if identity not in seen:
                seen.add(identity)
                sums["weights" if key == "low_bits" else kind] += int(array.nbytes)
    return sums["weights"], sums["states"]


def status(name):
    """A line of /proc/self/status, in bytes."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def peak_of(run):
    """Bytes by which the memory of this process grows while `run` runs."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before could otherwise be taken again unseen
    before = status("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    run()
    return max(0, status("VmHWM") - before)


# ---- Time


def library():
    loaded = ctypes.CDLL(os.environ["ADAMANT_CEILING"])
    loaded.adamant_ceiling.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t]
    loaded.adamant_machine.restype = ctypes.c_char_p
    return loaded


def ceiling(values, count):
    buffers = [numpy.resize(values, count) for _ in range(4)]
    call, addresses = library().adamant_ceiling, [buffer.ctypes.data for buffer in buffers]
    return Step(lambda: call(*addresses, count), lambda: buffers[:1], lambda: buffers[2:])


def seconds_of(run, steps):
    start = time.perf_counter()
    for _ in range(steps):
        run()
    return time.perf_counter() - start


def turn_of(run):
    """(timed, untimed) steps of a turn; the untimed ones bring its memory into the caches."""
    run()  # makes states and compiles
    once = seconds_of(run, 1)
    if once >= TURN:
        return 1, 0  # more memory than any cache, or far from its speed
    timed = int(TURN / min(seconds_of(run, 1) for _ in range(3))) + 1
    return timed, max(2, timed // 10)


def in_rounds(steps, turns, parameters, rounds):
    """By name, ns per parameter of each round; every other round goes backwards."""
    times = {name: [] for name in steps}
    start = time.perf_counter()
    least, most = (rounds, rounds) if rounds else (ROUNDS[0], ROUNDS[-1])
    done = 0
    while done < least or (done < most and time.perf_counter() - start < SECONDS):
        for name in list(steps) if done % 2 == 0 else reversed(list(steps)):
            timed, untimed = turns[name]
            seconds_of(steps[name].run, untimed)
            times[name].append(float(f"{seconds_of(steps[name].run, timed) / timed / parameters * 1e9:.5g}"))
        done += 1
    return times


# ---- A package


def row_bytes(workload, row, step, parameters):
    weights, states = bytes_of(step)
    peak = peak_of(step.run) / parameters if parameters >= LARGE else None
    return {"workload": workload, "name": row.name, "weights": weights / parameters, "states": states / parameters,
            "temporaries": peak}


def try_make(row, shapes, values):
    """(step, turn) of a row; raises Unavailable, with the reason."""
    try:
        step = row.make(shapes, values)
        return step, turn_of(step.run)
    except Unavailable:
        raise
    except Exception as error:  # of any package
        text = (str(error).strip().splitlines() or [""])[0][:200]
        raise Unavailable(f"{type(error).__name__}: {text}") from error


def versions(names):
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def measure(peers, workloads, rounds, save):
    """Calls save(result) whenever there is more of it, so that what was measured outlives a package that crashes.
    Measures Adamant's rows of f32 and of the bits that the peers have; without peers, all of its rows alone."""
    import adamant
    cpu, caches, compiler = library().adamant_machine().decode().split("\n")
    result = {"machine": records.machine(cpu, THREADS, caches, adamant.current_target()),
              "compiler": compiler, "absent": {}, "heats": [], "bytes": []}
    ours = [row for row in OURS if not peers or row.bits in {"f32", *(peer.bits for peer in peers)}]
    for workload in workloads:
        shapes = shapes_of(workload)
        parameters = sum(math.prod(shape) for shape in shapes)
        largest = max(math.prod(shape) for shape in shapes)
        values = numpy.random.default_rng(0).standard_normal(largest, numpy.float32)
        steps, turns = {CEILING: ceiling(values, parameters)}, {}
        turns[CEILING] = turn_of(steps[CEILING].run)
        for row in ours:
            try:
                steps[row.name], turns[row.name] = try_make(row, shapes, values)
            except Unavailable as why:
                result["absent"][row.name] = str(why)
                continue
            if not peers:
                result["bytes"].append(row_bytes(workload, row, steps[row.name], parameters))
        for peer in peers or [None]:
            if peer and peer.name in result["absent"]:
                continue
            try:
                if peer:
                    steps[peer.name], turns[peer.name] = try_make(peer, shapes, values)
                    result["bytes"].append(row_bytes(workload, peer, steps[peer.name], parameters))
                times = in_rounds(steps, turns, parameters, rounds)
                result["heats"].append({"workload": workload, "peer": peer and peer.name, "rounds": times})
            except Unavailable as why:
                result["absent"][peer.name] = str(why)
            if peer:
                steps.pop(peer.name, None)
                gc.collect()
            result["versions"] = versions(["numpy", "torch", "deepspeed", "jax", "jaxlib", "optax", "bitsandbytes",
                                           "bitsandbytes-cpu-fork", "torchao"])
            save(result)
