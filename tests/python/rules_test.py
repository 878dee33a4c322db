# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The classes of the rules are those of the library's list; what is written down of them is up to date; schedules."""

import inspect
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import ROOT, numpy

import adamant
from adamant import _library, schedule
from adamant._library import List

GOLDEN = json.loads((ROOT / "tests/data/torch_golden.json").read_text())


class Rules(unittest.TestCase):
    def test_are_those_of_the_library(self):
        self.assertEqual(list(adamant.RULES), _library.names(List.RULES))
        for rule, cls in adamant.RULES.items():
            self.assertIs(getattr(adamant, cls.__name__), cls)
            self.assertEqual((cls.rule, cls.__module__), (rule, "adamant"))
            parameters = inspect.signature(cls).parameters
            for name, default in GOLDEN["defaults"][rule].items():
                default = tuple(default) if isinstance(default, list) else default
                self.assertEqual(parameters[name].default, default, name)
                self.assertIn(f"    {name}: ", cls.__doc__)
            for name in _library.names(List.SETTINGS):
                self.assertEqual(parameters[name].kind, inspect.Parameter.KEYWORD_ONLY)
            # What an optimizer is made with when nothing is given.
            optimizer = cls([numpy.ones(1, numpy.float32)])
            self.assertEqual(optimizer.param_groups[0]["rule"], rule)
            for name, value in [*optimizer.param_groups[0].items(), *optimizer.settings.items()]:
                if name in parameters and name != "params":
                    self.assertEqual(value, parameters[name].default, name)

    def test_stubs_are_up_to_date(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, ROOT / "tools/make_python_stubs", folder], check=True)
            self.assertEqual(pathlib.Path(folder, "__init__.pyi").read_text(),
                             (ROOT / "python/adamant/__init__.pyi").read_text(), "run tools/make_python_stubs")

    def test_everything_has_a_docstring(self):
        for name, value in vars(adamant).items():
            if name.startswith("_") or not getattr(value, "__module__", "").startswith("adamant"):
                continue
            self.assertTrue(value.__doc__, name)
            for member, what in vars(value).items() if inspect.isclass(value) else ():
                if not member.startswith("_") and (inspect.isfunction(what) or isinstance(what, property)):
                    self.assertTrue(what.__doc__, f"{name}.{member}")

    def test_targets(self):
        self.assertEqual(adamant.current_target(), adamant.targets()[0])
        last = adamant.targets()[-1]
        try:
            adamant.use_target(last)
            self.assertEqual(adamant.current_target(), last)
            self.assertRaises(KeyError, adamant.use_target, "AVX1024")
        finally:
            adamant.use_target(None)
        self.assertEqual(adamant.current_target(), adamant.targets()[0])


class Schedules(unittest.TestCase):
    TORCH = {"LinearLR": lambda lr, step, total_iters, start_factor, end_factor:
                 schedule.linear(lr, step, total_iters, start_factor, end_factor),
             "CosineAnnealingLR": lambda lr, step, T_max, eta_min: schedule.cosine(lr, step, T_max, eta_min),
             "StepLR": lambda lr, step, step_size, gamma: schedule.step_decay(lr, step, step_size, gamma),
             "OneCycleLR": lambda lr, step, max_lr, total_steps, **more:
                 schedule.one_cycle(max_lr, step, total_steps, **more)}

    def test_are_those_of_torch(self):
        self.assertEqual({case["name"] for case in GOLDEN["schedules"]}, set(self.TORCH))
        for case in GOLDEN["schedules"]:
            for step, lr in enumerate(case["lr"]):
                ours = self.TORCH[case["name"]](case["base_lr"], step, **case["arguments"])
                self.assertAlmostEqual(ours, lr, delta=1e-15, msg=f"{case['name']}, step {step}")

    def test_ends(self):
        far = 2**64 - 1
        self.assertEqual(schedule.constant(0.3, far), 0.3)
        self.assertEqual(schedule.linear(0.2, 0, 0, 0.5, 2.0), 0.4)
        self.assertEqual([schedule.warmup(0.5, step, 4) for step in range(5)], [0.125, 0.25, 0.375, 0.5, 0.5])
        self.assertEqual(schedule.warmup(0.7, 0, 0), 0.7)
        self.assertEqual(schedule.cosine(0.4, far, 30, 0.1), 0.1)
        self.assertEqual(schedule.warmup_cosine(0.4, 3, 8, 20), schedule.warmup(0.4, 3, 8))
        self.assertEqual(schedule.warmup_cosine(0.4, 14, 5, 25, 0.1), schedule.cosine(0.4, 9, 20, 0.1))
        self.assertEqual(schedule.warmup_cosine(0.4, 9, 9, 5, 0.1), 0.1)
        self.assertEqual(schedule.step_decay(0.4, far, 1, 0.5), 0.0)
        self.assertEqual(schedule.step_decay(0.4, 100, 0), 0.4)
        self.assertEqual(schedule.one_cycle(1.0, far, 100), schedule.one_cycle(1.0, 99, 100))

    def test_numbers_of_steps(self):
        self.assertEqual(schedule.warmup(0.5, numpy.int64(1), 4), 0.25)
        for name in schedule.__all__:
            call = getattr(schedule, name)
            counts = [name for name, of in inspect.signature(call).parameters.items() if of.annotation is int]
            self.assertIn("step", counts)
            call(0.5, **dict.fromkeys(counts, 10))
            for wrong in counts:
                for value in (-1, 2**64, 0.5, None):
                    with self.assertRaisesRegex(adamant.InvalidArgumentError, f"^{wrong} is {value}: it must be an int"):
                        call(0.5, **{**dict.fromkeys(counts, 10), wrong: value})


if __name__ == "__main__":
    unittest.main()
