# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant inspect`.

    Called as tests/command_test_case.py says.
"""

import json
import pathlib
import shutil
import struct
import subprocess
import sys
import unittest

import numpy as np

from command_test_case import PROGRAM, CommandTestCase, safetensors


class Inspect(CommandTestCase):
    command = "inspect"

    def assert_refused(self, message, *arguments, code=1):
        for more in ([], ["--json"]):
            done = self.run_command(*arguments, *more)
            self.assertEqual((done.returncode, done.stdout), (code, ""))
            self.assertIn(message, done.stderr)
            self.assertTrue(done.stderr.startswith("adamant inspect: "), done.stderr)

    def step(self, w, grads, *options):
        """A checkpoint in this folder after a step for each of the gradients."""
        (self.folder / "p").write_bytes(safetensors({"w": np.asarray(w, np.float32)}))
        for i, g in enumerate(grads):
            (self.folder / "g").write_bytes(safetensors({"w": np.asarray(g, np.float32)}))
            before = ["--state", "s"] if i else ["--params", "p", *options]
            subprocess.run([*PROGRAM, "step", *before, "--grads", "g", "--out-state", "s"], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL)


class Checkpoints(Inspect):
    def test_what_is_in_it(self):
        found = self.result(self.runs / "groups" / "expected.safetensors", "--verify")
        self.assertEqual((found["kind"], found["verified"], found["steps"], found["params"]), ("checkpoint", True, 4, True))
        self.assertEqual((found["state_format"], found["weight_format"]), ("b16", "split16"))
        self.assertEqual(found["bytes"], (self.runs / "groups" / "expected.safetensors").stat().st_size)
        self.assertEqual(found["metadata"], {"made": "here"})
        self.assertEqual([(g["rule"], g["formula"], g["tensors"]) for g in found["groups"]],
                         [("adamw", "adamw-1", ["weight"]), ("rmsprop", "rmsprop-centered-1", ["bias"])])
        self.assertIs(found["groups"][1]["options"]["centered"], True)
        bias, weight = found["tensors"]
        self.assertEqual((bias["name"], bias["shape"], bias["group"], bias["step"], bias["parameter"], bias["states"],
                          bias["state_format"], bias["bytes"]),
                         ("bias", [100], 1, 4, "BF16", ["grad_avg", "square_avg"], "f32", 1200))
        self.assertEqual((weight["state_format"], weight["weight_format"], weight["bytes"]), ("b16", "split16", 48000))
        self.assertEqual(found["bytes_per_parameter"], (48000 + 1200) / 6100)
        self.assertEqual(found["path"], found["files"][0])

    def test_words(self):
        done = self.run_command(self.runs / "q8" / "expected.safetensors")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("checkpoint after 4 steps, 2 tensors, ", "states q8, weights split8, seed 7: ", "2.00 of them the parameter",
                      "group 0: adamw (adamw-amsgrad-1), 2 tensors: lr 0.001, betas (0.9, 0.999)", "amsgrad true",
                      "  weight  [60, 100]  0      4     BF16       q8      split8", "made  here"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("moments", done.stdout)
        self.assertIn("without the parameter", self.run_command(self.runs / "q8" / "state-2.safetensors").stdout)

    def test_damage_is_found_by_verify(self):
        raw = bytearray((self.runs / "q8" / "expected.safetensors").read_bytes())
        raw[-100] ^= 1
        (self.folder / "s").write_bytes(raw)
        self.assertEqual(self.result("s")["steps"], 4)
        self.assert_refused("is damaged", "s", "--verify")
        self.assert_refused("is damaged", "s", "--health")

    def test_a_folder_lists_its_checkpoints(self):
        for name, source in (("b", "state-2"), ("a", "expected")):
            shutil.copy(self.runs / "q8" / f"{source}.safetensors", self.folder / f"{name}.safetensors")
        (self.folder / "plain.safetensors").write_bytes(safetensors({"w": [1]}))
        (self.folder / "note").write_text("no checkpoint")
        found = self.result(".", "--verify")
        self.assertEqual([(pathlib.Path(c["path"]).name, c["steps"], c["params"]) for c in found["checkpoints"]],
                         [("b.safetensors", 2, False), ("a.safetensors", 4, True)])
        self.assertRegex(self.run_command(".").stdout, r"b\.safetensors +2 .*\n.*a\.safetensors +4 ")
        self.assert_refused("--health: '.' is a folder", ".", "--health", code=2)

        raw = (self.folder / "a.safetensors").read_bytes()
        (self.folder / "a.safetensors").write_bytes(raw[:-1])
        done = self.run_command(".", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a.safetensors", done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((len(found["checkpoints"]), len(found["failures"])), (1, 1))
        (self.folder / "empty").mkdir()
        self.assert_refused("FILE: 'empty' is a folder without checkpoints\n", "empty")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["a.safetensors", "b.safetensors", "empty", "note", "plain.safetensors"], "it only reads")


    def test_a_folder_of_folders_says_where_checkpoints_are(self):
        none = "FILE: 'lab' is a folder without checkpoints; there are some in "
        for run in ("b-1", "a-1", "a-2", "c-1", "d-1"):
            folder = self.folder / "lab" / "checkpoints" / run
            folder.mkdir(parents=True)
            for step in ("1", "2"):
                shutil.copy(self.runs / "q8" / "expected.safetensors", folder / f"step-{step}.safetensors")
            if run == "b-1":
                (self.folder / "lab" / "other").mkdir()
                (self.folder / "lab" / "other" / "plain.safetensors").write_bytes(safetensors({"w": [1]}))
                (self.folder / "lab" / "other" / "damaged.safetensors").write_bytes(b"damaged")
                self.assert_refused(none + "'lab/checkpoints/b-1'\n", "lab")
        folders = ", ".join(f"'lab/checkpoints/{run}'" for run in ("a-1", "a-2", "b-1"))
        self.assert_refused(f"{none}{folders} and 2 other folders\n", "lab")


class Health(Inspect):
    def test_numbers(self):
        grads = np.zeros((3, 1000), np.float32)
        grads[:, 250:] = np.random.default_rng(1).standard_normal((3, 750))
        self.step(np.ones(1000), grads)
        (tensor,) = self.result("s", "--health")["tensors"]
        m, v = np.zeros(1000), np.zeros(1000)
        for g in grads.astype(np.float64):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        self.assertEqual(list(tensor["health"]), ["exp_avg", "exp_avg_sq"])
        for name, values, second in (("exp_avg", m, False), ("exp_avg_sq", np.sqrt(v), True)):
            state = tensor["health"][name]
            self.assertEqual((state["second_moment"], state["elements"], state["zeros"], state["nans"], state["infinities"]),
                             (second, 1000, 250, 0, 0))
            self.assertAlmostEqual(state["rms"] / np.sqrt(np.mean(values**2)), 1, delta=1e-5)
            self.assertAlmostEqual(state["max"] / np.max(np.abs(values)), 1, delta=1e-5)
        self.assertEqual(tensor["findings"], ["25% of exp_avg_sq is zero: these weights never had a gradient that f32 can hold"])
        words = self.run_command("s", "--health").stdout
        self.assertIn("w: 25% of exp_avg_sq is zero", words)
        self.assertRegex(words, r"w +exp_avg_sq \(root\) +0\.0\d+ +0\.\d+ +25% +0 +0")

    def test_every_format_and_rule(self):
        for run in ("adamw", "sgd", "f64", "q8", "groups"):
            found = self.result(self.runs / run / "expected.safetensors", "--health")
            for tensor in found["tensors"]:
                self.assertEqual(list(tensor["health"]), tensor["states"])
                for name, state in tensor["health"].items():
                    self.assertEqual(state["second_moment"], name in ("exp_avg_sq", "max_exp_avg_sq", "square_avg", "sum"), name)
                    self.assertGreater(state["max"], 0.001, (run, name))
                    self.assertGreaterEqual(state["max"], state["rms"])
            self.assertIn("Nothing unusual", self.run_command(self.runs / run / "expected.safetensors", "--health").stdout)
        # The same steps with f32 states, but for what q8 rounds.
        run = self.runs / "q8"
        for step in range(1, 5):
            before = ["--state", "s"] if step > 1 else ["--params", run / "params.safetensors", "--amsgrad", "true"]
            subprocess.run([*PROGRAM, "step", *before, "--max-norm", "1", "--grads", run / f"grads-{step}.safetensors",
                            "--out-state", "s"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        q8, f32 = (self.result(path, "--health")["tensors"][1]["health"] for path in (run / "expected.safetensors", "s"))
        for name, state in f32.items():
            for number in ("rms", "max"):
                self.assertAlmostEqual(q8[name][number] / state[number], 1, delta=0.05, msg=name)
                self.assertNotEqual(q8[name][number], state[number])

    def test_what_is_not_finite(self):
        self.step(np.ones(4), [[1, np.nan, 2, 0]], "--nonfinite", "propagate")
        (tensor,) = self.result("s", "--health")["tensors"]
        self.assertEqual((tensor["health"]["exp_avg"]["nans"], tensor["health"]["exp_avg_sq"]["nans"]), (1, 1))
        self.assertIn("exp_avg of 4: 1 NaN, 0 infinite. The weights there are lost: go back to an earlier checkpoint",
                      tensor["findings"])
        self.assertNotIn("Nothing unusual", self.run_command("s", "--health").stdout)

    def test_what_was_never_stepped(self):
        self.step(np.ones(4), [[np.nan, 0, 0, 0]])  # the step is skipped
        (tensor,) = self.result("s", "--health")["tensors"]
        self.assertEqual((tensor["step"], tensor["findings"]), (0, ["has not taken a step"]))
        self.step(np.ones(4), [[0, 0, 0, 0]])
        (tensor,) = self.result("s", "--health")["tensors"]
        self.assertEqual(tensor["findings"], ["exp_avg_sq is zero everywhere: this tensor never had a gradient"])

    def test_rules_without_states(self):
        self.step(np.ones(4), [[1, 1, 1, 1]], "--rule", "sgd")
        (tensor,) = self.result("s", "--health")["tensors"]
        self.assertEqual((tensor["health"], tensor["findings"]), ({}, []))


class OtherFiles(Inspect):
    def test_any_safetensors_file(self):
        (self.folder / "f").write_bytes(safetensors({"layer.0": np.ones((2, 3), np.float32), "w\u00fc": [1]}, {"format": "pt", "note": "x\n\x1b[2J"}))
        found = self.result("f")
        self.assertEqual((found["kind"], found["checksums"], found["metadata"]),
                         ("safetensors", False, {"format": "pt", "note": "x\n\x1b[2J"}))
        self.assertEqual(found["tensors"][0], {"name": "layer.0", "type": "F32", "shape": [2, 3], "bytes": 24})
        words = self.run_command("f").stdout
        self.assertIn("f: safetensors file, 2 tensors, ", words)
        self.assertIn("no checksums", words)
        self.assertIn(r"x\n\u001b[2J", words)
        self.assertIn(r"w\u00fc", words)
        self.assertNotIn("\x1b", words, "no control characters of a file reach the terminal")
        self.assert_refused("has no checksums", "f", "--verify")
        self.assert_refused("--health: 'f' is no checkpoint", "f", "--health", code=2)
        self.assertTrue(self.result(self.runs / "q8" / "params.safetensors", "--verify")["verified"])

    def test_what_is_none(self):
        self.assert_refused("'absent'", "absent")
        for content, reason in ((b"", "has 0 bytes"), (b"\xff" * 64, "claims a header"), (struct.pack("<Q", 2) + b"[]", ""),
                                (safetensors({"w": [1, 2]})[:-4], ""), (safetensors({"w": [1]}, {"adamant": "{}"}), ""),
                                (safetensors({"w": [1]}, {"adamant": "[" * 100000}), "")):
            (self.folder / "f").write_bytes(content)
            self.assert_refused(reason, "f")
            self.assert_refused("'f'", "f", "--verify")

    def test_usage(self):
        self.assertEqual(self.run_command().returncode, 2)
        self.assert_refused("unexpected argument b", "a", "b", code=2)
        done = self.run_command("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--verify", "--health", "--json", "Exit status"):
            self.assertIn(word, done.stdout)
        self.assertIn("Usage: adamant inspect [OPTIONS] FILE\n", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
