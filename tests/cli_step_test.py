# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant step`: the bits of a run in one process, and those of the formula; what is refused.

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

from command_test_case import PROGRAM, TYPES, CommandTestCase, safetensors


def save(path, tensors, metadata=None, types=None):
    pathlib.Path(path).write_bytes(safetensors(tensors, metadata, types))


def load(path):
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", {})
    data = raw[8 + length:]
    tensors = {name: np.frombuffer(data[slice(*entry["data_offsets"])], TYPES.get(entry["dtype"], np.uint8))
               .reshape(entry["shape"] if entry["dtype"] in TYPES else -1) for name, entry in header.items()}
    return tensors, {key: value for key, value in metadata.items() if not key.startswith("adamant")}


class Step(CommandTestCase):
    command = "step"

    def assert_refused(self, message, *arguments, code=2):
        before = {path: path.read_bytes() for path in self.folder.iterdir()}
        done = self.run_command(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertIn(message, done.stderr)
        self.assertTrue(done.stderr.startswith("adamant step: "), done.stderr)
        self.assertEqual({path: path.read_bytes() for path in self.folder.iterdir()}, before, "nothing was written")

    def small(self):
        """Parameters and gradients of another program's in this folder."""
        self.w, self.g = np.array([1, -2, 3], np.float32), np.array([0.5, 0.25, -1], np.float32)
        save(self.folder / "p", {"w": self.w}, {"who": "me"})
        save(self.folder / "g", {"w": self.g})
        return ["--params", "p", "--grads", "g"]


class Bits(Step):
    FIRST = {
        "adamw": ["--lr", "0.01", "--betas", "0.9,0.95"],
        "sgd": ["--rule", "sgd", "--lr", "0.1", "--momentum", "0.9", "--nesterov", "true", "--max-norm", "1"],
        "f64": ["--rule", "adagrad"],
        "q8": ["--amsgrad", "true", "--state-format", "q8", "--weights", "split8", "--seed", "7", "--max-norm", "1"],
    }

    def expect(self, run, state, params):
        self.assertEqual((self.folder / state).read_bytes(), (self.runs / run / "expected.safetensors").read_bytes())
        for own, its in zip(load(self.folder / params), load(self.runs / run / "params-4.safetensors")):
            self.assertEqual(str(own), str(its))
        self.assertEqual((self.folder / params).read_bytes(), (self.runs / run / "params-4.safetensors").read_bytes())

    def test_four_steps_in_files_are_four_steps(self):
        for run, options in self.FIRST.items():
            limits = options[-2:] if "--max-norm" in options else []  # a setting, which checkpoints have not
            shutil.copy(self.runs / run / "params.safetensors", self.folder / "p")
            for step in range(1, 5):
                grads = self.runs / run / f"grads-{step}.safetensors"
                before = options if step == 1 else ["--state", "s", *limits]
                done = self.result("--params", "p", "--grads", grads, *before, "--out-params", "p", "--out-state", "s")
                self.assertEqual((done["step"], done["applied"], done["parameters"]), (step, True, 6100))
                self.assertEqual(done["clip_coefficient"] < 1, bool(limits))
            self.expect(run, "s", "p")

    def test_the_checkpoint_alone_is_enough(self):
        for run, options in self.FIRST.items():
            limits = options[-2:] if "--max-norm" in options else []
            for step in range(1, 5):
                before = (["--params", self.runs / run / "params.safetensors", *options] if step == 1 else
                          ["--state", "s", *limits])
                self.result("--grads", self.runs / run / f"grads-{step}.safetensors", *before, "--out-state", "s",
                          *(["--out-params", "p"] if step == 4 else []))
            self.expect(run, "s", "p")

    def test_a_state_with_groups_and_without_parameters(self):
        for run in [*self.FIRST, "groups"]:
            limits = self.FIRST[run][-2:] if "--max-norm" in self.FIRST.get(run, []) else []
            self.result("--params", self.runs / run / "params-2.safetensors", "--state", self.runs / run / "state-2.safetensors",
                      "--grads", self.runs / run / "grads-3.safetensors", *limits, "--out-params", "p", "--out-state", "s")
            done = self.result("--params", "p", "--state", "s", "--grads", self.runs / run / "grads-4.safetensors", *limits,
                             "--out-params", "p", "--out-state", "s")
            self.assertEqual([group["rule"] for group in done["groups"]],
                             {"groups": ["adamw", "rmsprop"], "sgd": ["sgd"], "f64": ["adagrad"]}.get(run, ["adamw"]))
            self.expect(run, "s", "p")
            done = self.run_command("--grads", self.runs / run / "grads-3.safetensors", "--out-state", "s",
                                 "--state", self.runs / run / "state-2.safetensors")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--params: is missing, and the checkpoint", done.stderr)

    def test_the_formula(self):
        """AdamW as in docs/numerics.md, operation by operation in f32."""
        f = np.float32
        lr, beta1, beta2, eps, decay = 0.01, 0.9, 0.95, 1e-8, 0.1
        random = np.random.default_rng(1)
        w = random.standard_normal(1000).astype(f)
        m, v, start = np.zeros(1000, f), np.zeros(1000, f), w.copy()
        save(self.folder / "p", {"w": w})
        for t in range(1, 4):
            g = random.standard_normal(1000).astype(f)
            save(self.folder / "g", {"w": g})
            first = ["--lr", lr, "--betas", f"{beta1},{beta2}", "--eps", eps, "--weight-decay", decay]
            self.result("--params", "p", "--grads", "g", "--out-params", "p", "--out-state", "s",
                      *(first if t == 1 else ["--state", "s"]))
            m = f(beta1) * m + f(1 - beta1) * g
            v = f(beta2) * v + f(1 - beta2) * (g * g)
            power1 = {1: beta1, 2: beta1 * beta1, 3: beta1 * (beta1 * beta1)}[t]
            power2 = {1: beta2, 2: beta2 * beta2, 3: beta2 * (beta2 * beta2)}[t]
            scale, step = f(1 / np.sqrt(1 - power2)), f(lr / (1 - power1))
            w = f(1 - lr * decay) * w - (step * m) / (np.sqrt(v) * scale + f(eps))
        own, _ = load(self.folder / "p")
        state, _ = load(self.folder / "s")
        for mine, theirs in ((w, own["w"]), (w, state["w"]), (m, state["w/exp_avg"]), (v, state["w/exp_avg_sq"])):
            self.assertEqual(mine.tobytes(), theirs.tobytes())
        self.assertNotEqual(w.tobytes(), start.tobytes())

    def test_options_of_a_later_step(self):
        both = [*self.small(), "--out-params", "p", "--out-state", "s"]
        self.result(*both, "--lr", "0.5")
        done = self.result(*both, "--state", "s", "--lr", "0.25", "--grad-scale", "2", "--clip-value", "0.1")
        (group,) = done["groups"]
        self.assertEqual((group["rule"], group["options"]["lr"], group["options"]["betas"]), ("adamw", 0.25, [0.9, 0.999]))
        self.assertEqual(done["grad_norm"], float(np.sqrt(np.sum((self.g.astype(np.float64) / 2) ** 2))))

    def test_other_formats(self):
        self.small()
        p = self.runs / "q8" / "params.safetensors"
        grads = ["--grads", self.runs / "q8" / "grads-1.safetensors"]
        self.result("--params", p, *grads, "--state-format", "q8", "--weights", "split16", "--out-state", "q8")
        self.result("--state", "q8", *grads, "--state-format", "f32", "--out-state", "f32")
        self.assertEqual(load(self.folder / "f32")[0]["weight/exp_avg"].dtype, np.float32)
        self.assert_refused("would round", "--state", "f32", *grads, "--state-format", "q8", "--out-state", "q")
        self.result("--state", "f32", *grads, "--state-format", "q8", "--round", "--out-state", "q")
        self.assertEqual(load(self.folder / "q")[0]["weight/exp_avg"].dtype, np.uint8)


class Files(Step):
    def test_what_is_no_parameter_stays(self):
        steps = np.array([7, 8], np.int64)
        save(self.folder / "p", {"w": np.ones((2, 2), np.float32), "one": np.float32(4), "steps": steps, "still": np.ones(3)},
             {"who": "me"})
        save(self.folder / "g", {"w": np.ones((2, 2), np.float32), "one": np.float32(1)})
        done = self.result("--params", "p", "--grads", "g", "--lr", "0.5", "--weight-decay", "0", "--out-params", "q", "--out-state", "s")
        self.assertEqual((done["tensors"], done["without_grad"]), (3, ["still"]))
        tensors, metadata = load(self.folder / "q")
        self.assertEqual(metadata, {"who": "me"})
        self.assertEqual({name: t.shape for name, t in tensors.items()}, {"w": (2, 2), "one": (), "steps": (2,), "still": (3,)})
        self.assertEqual(tensors["steps"].tobytes(), steps.tobytes())
        self.assertEqual((float(tensors["one"]), list(tensors["still"])), (3.5, [1, 1, 1]))
        self.result("--params", "q", "--state", "s", "--grads", "g", "--out-params", "q", "--out-state", "s")
        self.assertLess(float(load(self.folder / "q")[0]["one"]), 3.5)
        self.assertEqual(load(self.folder / "s")[1], {"who": "me"})

    def test_a_step_that_was_cut_off_between_its_files(self):
        both = [*self.small(), "--out-params", "p", "--out-state", "s"]
        self.result(*both)
        old = (self.folder / "p").read_bytes()
        self.result(*both, "--state", "s")
        new, state = (self.folder / "p").read_bytes(), (self.folder / "s").read_bytes()
        (self.folder / "p").write_bytes(old)  # as if it had been killed before it wrote this
        self.assert_refused("tensor w of 'p' is not that of the checkpoint 's'", *both, "--state", "s")
        self.result(*both[2:], "--state", "s")
        self.result("--grads", "g", "--state", "s", "--out-params", "other")
        (self.folder / "p").write_bytes(new)
        (self.folder / "s").write_bytes(state)
        third = self.result(*both, "--state", "s")
        self.assertEqual(third["step"], 3)

    def test_a_kill_leaves_whole_files(self):
        self.small()
        w = np.ones(3_000_000, np.float32)
        save(self.folder / "p", {"w": w})
        save(self.folder / "g", {"w": w})
        command = [*PROGRAM, "step", "--params", "p", "--grads", "g", "--out-params", "p", "--out-state", "s"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        done = 0
        for tenths in range(1, 14):
            process = subprocess.Popen([*PROGRAM, "step", "--state", "s", "--grads", "g", "--out-params", "p", "--out-state", "s"],
                                       cwd=self.folder, stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=tenths / 100)
                done += 1
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for path in ("p", "s"):
                check = subprocess.run([*PROGRAM, "inspect", path, "--verify"], cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(check.returncode, 0, check.stderr)
        self.result("--state", "s", "--grads", "g", "--out-params", "p", "--out-state", "s")
        self.assertEqual(load(self.folder / "p")[0]["w"].tobytes(), load(self.folder / "s")[0]["w"].tobytes())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["g", "p", "s"])

    def test_gradients_that_are_not_finite(self):
        self.small()
        g = np.array([1, np.nan, np.inf], np.float32)
        save(self.folder / "g", {"w": g})
        both = ["--params", "p", "--grads", "g", "--out-params", "q", "--out-state", "s"]
        done = self.result(*both)
        self.assertEqual((done["applied"], done["nonfinite"]), (False, {"tensor": "w", "element": 1, "count": 2}))
        self.assertEqual(load(self.folder / "q")[0]["w"].tobytes(), self.w.tobytes())
        skipped = "skipped, nothing but the number of steps has changed: "
        self.assertIn(skipped + "2 elements of the gradients are not finite, the first is element 1 of w\n",
                      self.run_command(*both).stdout)
        save(self.folder / "one", {"w": np.array([np.nan, 1, 1], np.float32)})
        self.assertIn(skipped + "1 element of the gradients is not finite, the first is element 0 of w\n",
                      self.run_command("--params", "p", "--grads", "one", "--out-state", "s").stdout)
        (self.folder / "q").unlink()
        (self.folder / "s").unlink()
        self.assert_refused("not finite", *both, "--nonfinite", "error", code=1)

    def test_words(self):
        done = self.run_command(*self.small(), "--max-norm", "0.5", "--out-params", "q")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^step 1: adamw, 1 tensor, 3 parameters, norm of the gradients 1\.14564, clipped: multiplied by 0\.436")
        self.assertIn("parameters: q\n", done.stdout)


class Refusals(Step):
    def test_usage(self):
        both, out = self.small(), ["--out-state", "s"]
        self.assert_refused("--grads: is missing", "--params", "p", *out)
        self.assert_refused("--params: is missing", "--grads", "g", *out)
        self.assert_refused("--out-state: is missing, and so is --out-params", *both)
        self.assert_refused("--rule: unknown rule 'lion'", *both, *out, "--rule", "lion")
        self.assert_refused("--momentum: adamw has no momentum", *both, *out, "--momentum", "0.9")
        self.assert_refused("--amsgrad: option amsgrad must be true or false, not '2'", *both, *out, "--amsgrad", "2")
        self.assert_refused("--state-format: unknown state format", *both, *out, "--state-format", "q4")
        self.assert_refused("Invalid learning rate: -1", *both, *out, "--lr", "-1")
        self.assert_refused("--round: needs --state", *both, *out, "--round")
        self.assert_refused("--out-state: 'g' is an input of another kind", *both, "--out-state", "g")
        self.assert_refused("--out-state: './p' is an input of another kind", *both, "--out-state", "./p")
        self.assert_refused("--out-params: 's' is --out-state, too", *both, *out, "--out-params", "s")
        self.assert_refused("--out-state: 'no/s' cannot be written: No such file or directory", *both, "--out-state", "no/s", code=1)
        (self.folder / "folder").mkdir()
        done = self.run_command(*both, "--out-state", "folder")
        self.assertEqual((done.returncode, done.stderr), (1, "adamant step: --out-state: 'folder' is a folder\n"))

    def test_files(self):
        both, out = self.small(), ["--out-state", "new"]
        self.assert_refused("'none'", "--params", "none", "--grads", "g", *out, code=1)
        (self.folder / "junk").write_bytes(b"\xff" * 100)
        self.assert_refused("'junk': claims a header", "--params", "junk", "--grads", "g", *out, code=1)
        self.assert_refused("'p': is no checkpoint of adamant", *both, "--state", "p", *out, code=1)
        save(self.folder / "h", {"other": self.g})
        self.assert_refused("--grads: tensor other of 'h' is not one of the parameters", "--params", "p", "--grads", "h", *out)
        save(self.folder / "h", {"w": self.g.reshape(1, 3)})
        self.assert_refused("--grads: tensor w has shape [1, 3], must have that of the parameter, [3]", "--params", "p", "--grads", "h", *out)
        save(self.folder / "h", {"w": np.ones(3, np.int64)})
        self.assert_refused("--grads: tensor w is I64", "--params", "p", "--grads", "h", *out)
        save(self.folder / "h", {"w": np.ones(3)})
        self.assert_refused("f64", "--params", "p", "--grads", "h", *out)

    def test_states(self):
        both = self.small()
        self.result(*both, "--out-state", "s")
        more = ["--grads", "g", "--out-state", "s"]
        self.assert_refused("--rule: 'sgd' is not the rule of --state, adamw", "--state", "s", *more, "--rule", "sgd")
        self.assert_refused("--seed: the checkpoint of --state has its own", "--state", "s", *more, "--seed", "3")
        self.assert_refused("--params: 's' is a checkpoint", "--params", "s", *more[:2], "--out-state", "t")
        self.assert_refused("options of group 0 would change its states", "--state", "s", *more, "--amsgrad", "true")
        save(self.folder / "p", {"v": self.w})
        self.assert_refused("--params: 'p' has no tensor w", "--state", "s", "--params", "p", *more)
        raw = bytearray((self.folder / "s").read_bytes())
        raw[-1] ^= 1
        (self.folder / "s").write_bytes(raw)
        self.assert_refused("damaged", "--state", "s", *more, code=1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
