# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints from Python: what is saved is what is loaded; every file is a safetensors file that others read."""

import json
import os
import pathlib
import struct
import tempfile
import unittest

from support import most_at_once, random_numbers

import numpy as np

import adamant
from adamant._library import c


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "run.safetensors"

    def tearDown(self):
        self.folder.cleanup()

    def made(self, rule=adamant.AdamW, seed=0, **settings):
        self.params = {"w": random_numbers(seed, 5000).reshape(50, 100), "b": random_numbers(seed + 1, 7)}
        return rule(self.params, **settings), self.params

    def steps(self, optimizer, count):
        for _ in range(count):
            base = 10 * optimizer.steps
            optimizer.step({"w": random_numbers(base, 5000).reshape(50, 100), "b": random_numbers(base + 1, 7)})

    def test_resumes_with_the_same_bits(self):
        for settings in ({}, {"state": "q8"}, {"state": "b16"}, {"state": "bf16"}):
            straight, expected = self.made(**settings)
            self.steps(straight, 5)
            first, _ = self.made(**settings)
            self.steps(first, 3)
            first.lr = 1e-2
            adamant.save(first, self.path, params=True, metadata={"epoch": "3"})
            second, got = self.made(seed=5, **settings)
            info = adamant.load(second, self.path, params=True)
            self.assertEqual((info.steps, info.metadata, second.lr), (3, {"epoch": "3"}, 1e-2))
            second.lr = straight.lr
            self.steps(second, 2)
            for name in expected:
                np.testing.assert_array_equal(expected[name], got[name])

    def test_is_described(self):
        optimizer, _ = self.made(state="q8", lr=0.5)
        self.steps(optimizer, 2)
        adamant.save(optimizer, str(self.path))
        info = adamant.inspect(self.path)
        self.assertEqual(info.tensors["w"], ((50, 100), 0, 2, "q8", "plain"))
        self.assertEqual(info.tensors["b"].state_format, "f32")
        self.assertEqual(info.groups[0]["rule"], "adamw")
        self.assertEqual(info.groups[0]["options"]["lr"], 0.5)
        self.assertEqual((info.params, info.state_format, info.files), (False, "q8", [str(self.path)]))
        self.assertEqual(info.bytes, self.path.stat().st_size)
        adamant.verify(self.path)
        flipped = bytearray(self.path.read_bytes())
        flipped[-1] ^= 1
        self.path.write_bytes(flipped)
        with self.assertRaisesRegex(adamant.IoError, "is damaged"):
            adamant.verify(self.path)
        before = optimizer.state_dict()
        with self.assertRaisesRegex(adamant.IoError, "is damaged"):
            adamant.load(optimizer, self.path)
        np.testing.assert_equal(optimizer.state_dict(), before)

    def test_is_a_safetensors_file(self):
        optimizer, params = self.made()
        self.steps(optimizer, 1)
        adamant.save(optimizer, self.path, params=True)
        data = self.path.read_bytes()
        length, = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        self.assertIn("adamant", header.pop("__metadata__"))
        self.assertEqual(set(header), {"w", "w/exp_avg", "w/exp_avg_sq", "b", "b/exp_avg", "b/exp_avg_sq"})
        states = optimizer.state
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            self.assertEqual(entry["dtype"], "F32")
            values = np.frombuffer(data[8 + length + begin:8 + length + end], "<f4").reshape(entry["shape"])
            tensor, _, state = name.partition("/")
            np.testing.assert_array_equal(values, states[tensor][state] if state else params[tensor])
        try:
            import safetensors.numpy
        except ImportError:
            self.skipTest("this Python has no safetensors: its reader was not asked")
        read = safetensors.numpy.load_file(self.path)
        self.assertEqual(set(read), set(header))
        np.testing.assert_array_equal(read["w"], params["w"])

    def test_of_a_run(self):
        optimizer, params = self.made()
        folder = self.path.parent / "run"
        checkpoints = adamant.Checkpoints(folder, keep=2, params=True)
        self.assertIsNone(checkpoints.load_newest(optimizer))
        for _ in range(3):
            self.steps(optimizer, 1)
            checkpoints.save(optimizer, {"n": "x"}, background=True)
        checkpoints.wait()
        self.assertEqual(list(checkpoints.list()), [2, 3])
        self.assertEqual(sorted(os.listdir(folder)), [os.path.basename(path) for path in checkpoints.list().values()])
        kept = params["w"].copy()
        self.steps(optimizer, 1)
        self.assertEqual(checkpoints.load_newest(optimizer, params=True).metadata, {"n": "x"})
        np.testing.assert_array_equal(params["w"], kept)
        checkpoints.remove_after(2)
        self.assertEqual(list(checkpoints.list()), [2])

    def test_calls_wait_for_each_other(self):
        optimizer, _ = self.made()
        self.steps(optimizer, 1)
        checkpoints = adamant.Checkpoints(self.path.parent / "run", keep=2)
        for call in (checkpoints.wait, checkpoints.list, lambda: checkpoints.remove_after(1),
                     lambda: checkpoints.save(optimizer, background=True), lambda: checkpoints.load_newest(optimizer)):
            self.assertEqual(most_at_once(c, "checkpoints_", [call, call, checkpoints.list]), 1)
        checkpoints.wait()
        self.assertEqual(list(checkpoints.list()), [1])

    def test_refusals(self):
        optimizer, _ = self.made()
        with self.assertRaisesRegex(adamant.IoError, "no/such"):
            adamant.save(optimizer, "no/such/folder")
        with self.assertRaisesRegex(adamant.InvalidArgumentError, "must be str"):
            adamant.save(optimizer, self.path, metadata={"epoch": 3})
        with self.assertRaisesRegex(adamant.InvalidArgumentError, "zero byte"):
            adamant.save(optimizer, self.path, metadata={"epoch": "\0"})
        with self.assertRaisesRegex(adamant.InvalidArgumentError, "adamant"):
            adamant.save(optimizer, self.path, metadata={"adamant": ""})
        with self.assertRaisesRegex(adamant.InvalidArgumentError, "keep is 0"):
            adamant.Checkpoints(self.path.parent, keep=0)
        adamant.save(optimizer, self.path)
        with self.assertRaisesRegex(adamant.NotFoundError, "has no parameters"):
            adamant.load(optimizer, self.path, params=True)
        other, _ = self.made(adamant.Adam)
        with self.assertRaisesRegex(adamant.MismatchError, "must be 'adam'"):
            adamant.load(other, self.path)
        compact, _ = self.made(state="q8")
        shown = compact.state["w"]["exp_avg"]
        with self.assertRaisesRegex(adamant.BusyError, "load would move states"):
            adamant.load(compact, self.path, round=True)
        del shown
        with self.assertRaisesRegex(adamant.MismatchError, "would round, which a load does only where `round` is set"):
            adamant.load(compact, self.path)
        adamant.load(compact, self.path, round=True)


if __name__ == "__main__":
    unittest.main()
