# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""When memory runs out in a call, at any allocation of the engine, the call raises MemoryError, nothing was changed, in
Python neither, and the call can be made again.

Allocations fail by tests/support/failing_new.cc, with which the test starts itself again."""

import ctypes
import hashlib
import itertools
import os
import pathlib
import sys
import tempfile
import unittest

from support import random_numbers

import numpy as np

import adamant
from adamant import _library

if "LD_PRELOAD" not in os.environ:
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "LD_PRELOAD": os.environ["ADAMANT_FAILING_NEW"]})
FAIL_AFTER = ctypes.CDLL(None).adamant_fail_after
FAIL_AFTER.argtypes = [ctypes.c_long]
ENOUGH = -1


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def changed(before, after):
    return {name: (before.get(name), after.get(name)) for name in {**before, **after}
            if before.get(name) != after.get(name)}


class Model:
    """An optimizer with all that the calls need, made before memory runs out."""

    def __init__(self, folder):
        self.path, self.saved = folder / "new.safetensors", folder / "saved.safetensors"
        self.params = {"w": random_numbers(1, 3000).reshape(30, 100), "b": random_numbers(2, 7)}
        self.late = {"params": {"late": random_numbers(3, 50)}, "lr": 0.25}
        self.grads = {"w": random_numbers(4, 3000).reshape(30, 100), "b": random_numbers(5, 7)}
        self.other = {name: grad / 2 for name, grad in self.grads.items()}
        self.rows, self.values = np.array([7, 3, 7]), random_numbers(6, 300).reshape(3, 100)
        self.optimizer = adamant.AdamW(self.params, state="q8", max_norm=1.0, threads=1)
        self.optimizer.step(self.grads)
        self.state = self.optimizer.state_dict()
        self.statistics = adamant.Statistics()
        self.checkpoints = adamant.Checkpoints(folder / "run", keep=2)
        adamant.save(self.optimizer, self.saved, params=True)
        self.saved_run = adamant.Checkpoints(folder / "saved_run")
        self.saved_run.save(self.optimizer)
        self.optimizer.step()
        self.optimizer.set_grads({name: 3 * grad for name, grad in self.grads.items()})  # of another norm

    def bits(self):
        """All that must not change by halves, what Python knows of the tensors and their gradients included."""
        known, engine = self.optimizer, _library.State()
        _library.c.get_state(known._handle, engine)
        lists = [known._params, known._dtypes, known._shapes, known._grads, known._kept, known._index]
        bits = {"names": known.names, "lr": known.lr, "settings": str(known.settings), "groups": str(known._groups),
                "lengths": [len(of_tensors) for of_tensors in lists],
                "counts": [engine.tensor_count, engine.group_count],
                "gradients": [digest(grad) if isinstance(grad, np.ndarray) else str(type(grad)) for grad in known._grads]}
        for name, value in known.state_dict().items():
            bits[name] = value if isinstance(value, str) else digest(value)
        for name, array in {**self.params, **self.late["params"]}.items():
            bits["parameter " + name] = digest(array)
        return bits


def made(model):
    adamant.AdamW(model.params, state="q8", threads=1)


# Name: the call, and whether it changes what bits() tells.
CALLS = {
    "make": (made, False),
    "step": (lambda m: m.optimizer.step(), True),
    "step with statistics": (lambda m: m.optimizer.step(statistics=m.statistics), True),
    "set_grads": (lambda m: m.optimizer.set_grads(m.other), True),
    "set_grad": (lambda m: m.optimizer.set_grad("b", m.other["b"]), True),
    "set_lazy_row_grad": (lambda m: m.optimizer.set_lazy_row_grad("w", m.rows, m.values), True),
    "set_param": (lambda m: m.optimizer.set_param("b", m.params["b"]), False),
    "add_group": (lambda m: m.optimizer.add_group(m.late), True),
    "remove_tensor": (lambda m: m.optimizer.remove_tensor("w"), True),
    "set lr": (lambda m: setattr(m.optimizer, "lr", 0.5), True),
    "set_formats": (lambda m: m.optimizer.set_formats(state="f32"), True),
    "state_dict": (lambda m: m.optimizer.state_dict(), False),
    "load_state_dict": (lambda m: m.optimizer.load_state_dict(m.state), True),
    "export_state": (lambda m: m.optimizer.export_state("w", "exp_avg"), False),
    "import_param": (lambda m: m.optimizer.import_param("b", m.grads["b"]), True),
    "save": (lambda m: adamant.save(m.optimizer, m.path), False),
    "Checkpoints.load_newest": (lambda m: m.saved_run.load_newest(m.optimizer), True),
    "load": (lambda m: adamant.load(m.optimizer, m.saved, params=True), True),
    "inspect": (lambda m: adamant.inspect(m.saved), False),
    "verify": (lambda m: adamant.verify(m.saved), False),
    "Checkpoints.save": (lambda m: m.checkpoints.save(m.optimizer), False),
}


class OutOfMemory(unittest.TestCase):
    def fails_at_each(self, call, changes):
        """Makes a call with its allocation 0, 1, ... failing, until it is done; returns how many failed."""
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            whole, short = Model(pathlib.Path(other)), Model(pathlib.Path(folder))
            before = short.bits()
            call(whole)
            done = whole.bits()
            self.assertEqual(before != done, changes)
            for failures in itertools.count():
                FAIL_AFTER(failures)
                try:
                    call(short)
                    break
                except adamant.OutOfMemoryError as error:
                    FAIL_AFTER(ENOUGH)
                    self.assertEqual(str(error), "out of memory")
                finally:
                    FAIL_AFTER(ENOUGH)
                self.assertEqual(changed(before, short.bits()), {}, f"allocation {failures}")
                self.assertEqual([*pathlib.Path(folder).rglob(".adamant-*")], [], f"allocation {failures}")
            self.assertEqual(changed(done, short.bits()), {})
        return failures

    def test_in_any_call_changes_nothing(self):
        total = 0
        for name, (call, changes) in CALLS.items():
            with self.subTest(name):
                total += self.fails_at_each(call, changes)
        print(f"{total} allocations failed")
        self.assertGreater(total, 300)


if __name__ == "__main__":
    unittest.main()
