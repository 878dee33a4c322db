# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The library beside others that have threads of their own in the same process: numba on oneTBB, scikit-learn on OpenMP,
and torch, where there is one. Loaded before or after them, and between their calls, it gives the bits that it gives alone.
"""

import ctypes
import hashlib
import pathlib
import subprocess
import sys
import unittest

from support import numpy, random_numbers

try:
    import importlib.metadata
    import importlib.util

    FOUND = [importlib.metadata.version(name) for name in ("numba", "scikit-learn", "tbb")]
except importlib.metadata.PackageNotFoundError as missing:
    print(f"this Python has no {missing.name}")
    sys.exit(77)


def load_numba():
    # Where pip puts it, the loader does not look.
    ctypes.CDLL(str(pathlib.Path(sys.prefix, "lib/libtbb.so.12")), ctypes.RTLD_GLOBAL)
    import numba

    numba.config.THREADING_LAYER = "tbb"
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))

    @numba.njit(parallel=True)
    def squares(x):
        total = 0.0
        for i in numba.prange(len(x)):
            total += x[i] * x[i]
        return total

    def work():
        assert abs(squares(numpy.ones(100_000)) - 100_000) < 1
        assert numba.threading_layer() == "tbb"

    return work


def load_sklearn():
    from sklearn.cluster import KMeans

    points = random_numbers(5, 4000).reshape(2000, 2)
    return lambda: KMeans(4, n_init=1, random_state=0).fit(points)


def load_torch():
    import torch

    return lambda: torch.ones(400, 400) @ torch.ones(400, 400)


def load_adamant():
    import adamant

    w = random_numbers(1, 300_000)
    optimizer = adamant.AdamW([w], lr=0.01, threads=2, max_norm=1.0)
    steps = iter(range(100))

    def work():
        optimizer.step([random_numbers(2 + next(steps), w.size)])
        work.digest = hashlib.sha256(w.tobytes()).hexdigest()

    return work


def run(names):
    """Loads these in that order, and lets each work in turn. Prints the bits of the library's weights."""
    works = {name: globals()["load_" + name]() for name in names}
    for _ in range(3):
        for work in works.values():
            work()
    print(works["adamant"].digest)


class Others(unittest.TestCase):
    def digest_of(self, *names):
        ran = subprocess.run([sys.executable, __file__, *names], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return ran.stdout

    def test_the_bits_are_those_that_it_gives_alone(self):
        others = ["numba", "sklearn"]
        if importlib.util.find_spec("torch"):
            others.append("torch")
        alone = self.digest_of("adamant")
        self.assertEqual(self.digest_of("adamant", *others), alone)
        self.assertEqual(self.digest_of(*others, "adamant"), alone)


if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        run(sys.argv[1:])
    else:
        unittest.main()
