#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""bench/peers.py on tiny tensors, with no peer but what this Python has; the figures themselves are not looked at."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import ROOT

sys.path.insert(0, str(ROOT / "bench"))
from peers import measuring, page, packages, steps, summary

WORKLOADS = ["5000", "3x4096"]


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        command = [sys.executable, ROOT / "bench/peers.py", "--here", "--workloads", ",".join(WORKLOADS),
                   "--rounds", "2", "--peers", "foreach$", "--out", folder.name]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        cls.printed = done.stdout
        files = list(pathlib.Path(folder.name).iterdir())
        assert len(files) == 1, files
        cls.name, cls.result = files[0].name, json.loads(files[0].read_text())

    def test_file_says_where_and_how(self):
        machine = self.result["machine"]
        self.assertRegex(self.name, rf"^[a-z0-9-]+-{len(os.sched_getaffinity(0))}c-[a-z0-9]+\.json$")
        self.assertTrue(machine["cpu"] and machine["memory"] > 0 and self.result["compiler"])
        self.assertIn("--rounds 2", self.result["command"])
        self.assertIn("numpy", self.result["versions"])

    def test_every_row_has_cells_or_a_reason(self):
        for row in [*steps.OURS, *(peer for peer in steps.PEERS if peer.name.endswith("foreach"))]:
            cells = [cell for cell in self.result["cells"] if cell["name"] == row.name]
            if row.name in self.result["absent"]:
                self.assertEqual((row.package, cells), ("torch", []))
                self.assertRegex(self.result["absent"][row.name], "torch")
                continue
            self.assertEqual([cell["workload"] for cell in cells], WORKLOADS)
            for cell in cells:
                self.assertTrue(cell["best ns"] > 0 and cell["ceiling ratio"] > 0)

    def test_bytes(self):
        """By the definitions of the formats; q8 has a byte more for each 128 numbers of the second moment."""
        cells = {cell["name"]: cell for cell in self.result["cells"] if cell["workload"] == "3x4096"}
        for name, weights, states in (("f32", 4, 8), ("bf16", 2, 8), ("all bf16", 2, 4), ("q8", 3, 2 + 1 / 128)):
            self.assertAlmostEqual(cells[f"adamant {name}"]["weights"], weights, 2)
            self.assertAlmostEqual(cells[f"adamant {name}"]["states"], states, 2)

    def test_rounds_and_tables(self):
        for heat in self.result["heats"]:
            self.assertTrue(all(len(times) == 2 for times in heat["rounds"].values()))
        for row in ("adamant f32", "adamant q8"):
            self.assertIn(f"\n| {row} | ", self.printed)
        self.assertEqual("\n".join(page.tables(self.result)), self.printed.rstrip("\n") + "\n")


class Parts(unittest.TestCase):
    def test_workloads(self):
        self.assertEqual(len(measuring.gpt2()), 148)
        self.assertEqual(sum(map(math.prod, measuring.gpt2())), 124_439_808)
        self.assertEqual(measuring.shapes_of("2x3Ki"), [(3072,)] * 2)
        self.assertEqual(measuring.shapes_of("64Mi"), [(1 << 26,)])

    def test_ratios_are_of_the_same_round(self):
        rounds = {"ceiling": [1.0, 2.0, 4.0], "adamant f32": [1.0, 1.0, 1.0], "torch AdamW fused": [2.0, 6.0, 4.0]}
        fused = next(peer for peer in steps.PEERS if peer.name == "torch AdamW fused")
        heats = [{"workload": "1Ki", "peer": fused.name, "rounds": rounds}]
        cells = summary.cells(heats, [], ["1Ki", "2Ki"], [*steps.OURS, fused])
        said = [(cell["name"], cell["ceiling ratio"], cell["best ns"], cell.get("times ours")) for cell in cells]
        self.assertEqual(said, [("adamant f32", 0.5, 1.0, None), (fused.name, 2.0, 2.0, 4.0)])

    def test_shared_memory_counts_once(self):
        import numpy
        array = numpy.zeros(10, numpy.float32)
        states = {"a": [array, numpy.zeros(3)], "low_bits": numpy.zeros(7, numpy.uint8)}
        step = steps.Step(None, lambda: [array], lambda: states)
        self.assertEqual(measuring.bytes_of(step), (47, 24))

    def test_peak_of_a_step(self):
        import numpy
        peak = measuring.peak_of(lambda: numpy.ones(1 << 22).sum())
        self.assertTrue(30 << 20 < peak < 40 << 20, peak)

    def test_peers_are_of_known_packages(self):
        names = [row.name for row in [*steps.OURS, *steps.PEERS]]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({row.package for row in [*steps.OURS, *steps.PEERS]}, set(packages.PACKAGES))


if __name__ == "__main__":
    if "ADAMANT_CEILING" not in os.environ:
        print("this build has no bench/")
        sys.exit(77)
    unittest.main()
