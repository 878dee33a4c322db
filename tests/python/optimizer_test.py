# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Groups, options, settings, gradients, steps, states and checkpoints from Python."""

import copy
import gc
import io
import os
import pickle
import sys
import threading
import time
import unittest
import weakref
from unittest import mock

from support import numpy, random_numbers, to_bf16

import adamant


def ones(size=8, dtype=numpy.float32):
    return numpy.ones(size, dtype)


class Parameters(unittest.TestCase):
    def test_forms(self):
        for params, names in [([ones(), ones()], ("0", "1")), ((ones() for _ in range(2)), ("0", "1")),
                              ({"w": ones(), "b": ones()}, ("w", "b")), ([("w", ones()), ("b", ones())], ("w", "b")),
                              ([(ones(), ones()), ones()], ("0", "1")), ({"w": (ones(), ones())}, ("w",)),
                              ([("w", ones(), ones())], ("w",)),
                              ([{"params": {"w": ones()}}, {"params": [ones(), ("b", ones())]}], ("w", "1", "b"))]:
            self.assertEqual(adamant.AdamW(params).names, names)

    def test_gradients_that_are_given_once(self):
        w, b, w_grad = ones(), ones(1), ones()
        optimizer = adamant.SGD([(w, w_grad), b], lr=0.25)
        optimizer.step()
        w_grad *= 2
        optimizer.step()
        numpy.testing.assert_array_equal(w, 0.25)
        numpy.testing.assert_array_equal(b, 1)  # without a gradient a tensor is left alone
        optimizer.zero_grad()
        numpy.testing.assert_array_equal(w_grad, 0)

    def test_gradients_by_name_are_those_of_this_step(self):
        w, b = ones(), ones(1)
        optimizer = adamant.SGD({"w": w, "b": b}, lr=0.25)
        optimizer.step({"b": ones(1), "w": ones()})
        optimizer.step({"b": ones(1)})
        numpy.testing.assert_array_equal(w, 0.75)
        numpy.testing.assert_array_equal(b, 0.5)
        optimizer.set_grad("w", ones())
        optimizer.set_grad(1, None)
        optimizer.step()
        numpy.testing.assert_array_equal(w, 0.5)
        numpy.testing.assert_array_equal(b, 0.5)

    def test_groups(self):
        w, b = ones(), ones()
        optimizer = adamant.AdamW([{"params": {"w": w}, "weight_decay": 0.0},
                                   {"params": {"b": b}, "rule": "sgd", "lr": 0.5}], lr=1e-2, eps=1e-6)
        first, second = optimizer.param_groups
        self.assertEqual((first["rule"], first["lr"], first["eps"], first["weight_decay"], first["betas"]),
                         ("adamw", 1e-2, 1e-6, 0.0, (0.9, 0.999)))
        self.assertEqual((second["rule"], second["lr"], second["weight_decay"]), ("sgd", 0.5, 0.0))
        self.assertNotIn("betas", second)
        self.assertIs(second["params"][0], b)
        self.assertEqual(second["names"], ["b"])
        optimizer.step([ones(), ones()])
        numpy.testing.assert_array_equal(b, 0.5)

        optimizer.param_groups[0]["lr"] = 1e-4
        first.update(betas=(0.5, 0.75), amsgrad=False)
        self.assertEqual((first["lr"], first["betas"]), (1e-4, (0.5, 0.75)))
        with self.assertRaises(adamant.InvalidArgumentError):
            first.update(lr=1.0, eps=-1.0)
        self.assertEqual(first["lr"], 1e-4)
        self.assertEqual(optimizer.lr, 1e-4)
        optimizer.lr = 0.125
        self.assertEqual([group["lr"] for group in optimizer.param_groups], [0.125, 0.125])
        for change in (lambda: first.update(params=[]), lambda: first.pop("lr"), lambda: first.update(lr="x")):
            self.assertRaises(adamant.InvalidArgumentError, change)
        self.assertRaises(KeyError, lambda: first["alpha_"])
        self.assertRaises(adamant.Error, first.__setitem__, "alpha", 0.5)

    def test_tensors_come_and_go(self):
        w, b, e = ones(), ones(1), ones(2)
        optimizer = adamant.SGD({"w": w, "b": b}, lr=0.5)
        optimizer.set_grads([ones(), ones(1)])
        self.assertEqual(optimizer.add_group({"params": {"e": (e, ones(2))}, "lr": 0.25}), 1)
        optimizer.remove_tensor("w")
        self.assertEqual((optimizer.names, list(optimizer), len(optimizer)), (("b", "e"), ["b", "e"], 2))
        self.assertTrue("e" in optimizer and "w" not in optimizer)
        optimizer.step()
        self.assertEqual((w[0], b[0], e[0]), (1, 0.5, 0.75))
        moved = b.copy()
        optimizer.set_param("b", moved)
        optimizer.step([ones(1), None])
        self.assertEqual((moved[0], b[0], e[0]), (0, 0.5, 0.75))
        self.assertRaises(adamant.MismatchError, optimizer.set_param, "b", ones(2))
        self.assertRaises(adamant.MismatchError, optimizer.set_param, "b", ones(1, numpy.float16))
        self.assertRaises(KeyError, optimizer.remove_tensor, "w")
        self.assertRaises(KeyError, optimizer.remove_tensor, 2)
        self.assertRaises(adamant.DuplicateError, optimizer.add_group, {"params": {"e": ones()}})
        self.assertEqual(len(optimizer), 2)

    def test_arguments(self):
        self.assertEqual(adamant.SGD([ones()], 0.5, 0.25).param_groups[0]["momentum"], 0.25)
        self.assertRaises(TypeError, adamant.SGD, [ones()], betas=(0.9, 0.99))
        self.assertRaises(TypeError, adamant.SGD)
        for bad in ({"lr": "fast"}, {"lr": None}, {"betas": (0.9,)}, {"betas": 0.9}, {"betas": (0.9, 1.0)},
                    {"amsgrad": 2}, {"seed": -1}, {"threads": 1.5}, {"max_norm": 0}, {"lr": object()}):
            self.assertRaises(adamant.InvalidArgumentError, adamant.AdamW, [ones()], **bad)
        self.assertRaises(KeyError, adamant.AdamW, [ones()], preset="b17")
        self.assertRaises(KeyError, adamant.AdamW, [{"params": [ones()], "rule": "sgdw"}])
        self.assertRaises(adamant.Error, adamant.AdamW, [{"params": [ones()], "momentum": 0.5}])

    def test_repr(self):
        text = repr(adamant.SGD({"w": ones(3)}, lr=0.5))
        self.assertIn("SGD: 1 tensor, 3 parameters\n", text)
        self.assertIn("SGD: 2 tensors, 1 parameter\n", repr(adamant.SGD([ones(1), ones(0)])))
        self.assertIn("sgd(lr=0.5, ", text)


class SettingsOf(unittest.TestCase):
    def test_values(self):
        optimizer = adamant.AdamW([ones()], max_norm=2, seed=2**64 - 1, threads=2)
        self.assertEqual(dict(optimizer.settings),
                         {"state": "f32", "weights": "plain", "seed": 2**64 - 1, "nonfinite": "skip", "max_norm": 2.0,
                          "clip_value": None, "report_norm": False, "threads": 2})
        optimizer.settings["max_norm"] = None
        optimizer.settings.update(nonfinite="error", report_norm=True)
        self.assertEqual((optimizer.settings["max_norm"], optimizer.settings["report_norm"]), (None, True))
        self.assertRaises(KeyError, optimizer.settings.__getitem__, "norm")
        self.assertRaises(adamant.MismatchError, optimizer.settings.update, threads=1)

    def test_presets_and_formats(self):
        w = to_bf16(random_numbers(1, 5000))
        optimizer = adamant.AdamW([w], preset="q8", format="bf16", max_norm=1.0)
        self.assertEqual(optimizer.settings["state"], "q8")
        self.assertLess(optimizer.bytes_per_parameter, 5.5)
        optimizer.step([to_bf16(random_numbers(2, 5000))])
        before = optimizer.export_param(0)
        optimizer.set_formats(state="f32")
        self.assertEqual((optimizer.settings["state"], optimizer.settings["weights"]), ("f32", "split8"))
        optimizer.set_formats(weights="split16")
        numpy.testing.assert_array_equal(optimizer.export_param(0), before)
        optimizer.import_param(0, numpy.full(5000, 1 + 2.0**-20, numpy.float32))
        numpy.testing.assert_array_equal(optimizer.export_param(0), numpy.float32(1 + 2.0**-20))
        self.assertRaises(adamant.MismatchError, optimizer.import_param, 0, ones(4999))
        self.assertRaises(KeyError, optimizer.set_formats, state="q9")

    def test_threads_are_those_of_this_process(self):
        with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1"}, clear=True):
            self.assertEqual(adamant.AdamW([ones()]).settings["threads"], 0)
        with mock.patch.object(os, "sched_getaffinity", lambda _: set(range(12)), create=True):
            for size, threads in (("", 0), ("1", 0), ("4", 3), ("5", 2), ("24", 1), ("two", 0), ("²", 0)):
                with mock.patch.dict(os.environ, {"LOCAL_WORLD_SIZE": size, "OMP_NUM_THREADS": "1"}):
                    self.assertEqual(adamant.AdamW([ones()]).settings["threads"], threads)
                    self.assertEqual(adamant.AdamW([ones()], threads=7).settings["threads"], 7)


class Steps(unittest.TestCase):
    def test_report(self):
        optimizer = adamant.SGD({"w": ones(4), "b": ones(1)}, lr=0.5, max_norm=1.0)
        report = optimizer.step([numpy.full(4, 4, numpy.float32), None], grad_scale=2.0)
        self.assertEqual((report.applied, report.grad_norm, report.nonfinite), (True, 4.0, None))
        self.assertAlmostEqual(report.clip_coefficient, 0.25, places=5)
        bad = numpy.array([1, numpy.inf, 1, numpy.nan], numpy.float32)
        report = optimizer.step([bad, ones(1)])
        self.assertEqual((report.applied, report.nonfinite), (False, ("w", 1, 2)))
        self.assertIn("applied=False", repr(report))
        self.assertEqual(optimizer.steps, 2)
        self.assertIsNone(adamant.SGD([(ones(), ones())]).step().grad_norm)
        for scale in (0, -1.0, float("nan")):
            self.assertRaises(adamant.InvalidArgumentError, optimizer.step, [ones(4), None], grad_scale=scale)

    def test_tensor_by_tensor(self):
        params = {"w": ones(100), "b": ones(3)}
        other = {name: array.copy() for name, array in params.items()}
        whole, single = adamant.AdamW(params, lr=0.1), adamant.AdamW(other, lr=0.1)
        for seed in range(3):
            grads = {"w": random_numbers(seed, 100), "b": random_numbers(seed + 10, 3)}
            whole.step(grads)
            single.begin_step()
            self.assertTrue(single.step_tensor("b", grads["b"]))
            self.assertTrue(single.step_tensor(0, grads["w"]))
            self.assertRaises(adamant.DuplicateError, single.step_tensor, "w", grads["w"])
            self.assertTrue(single.end_step().applied)
        for name in params:
            numpy.testing.assert_array_equal(params[name], other[name])
        self.assertRaises(adamant.InvalidArgumentError, single.step_tensor, "w", ones(100))
        single.begin_step()
        self.assertFalse(single.step_tensor("w"))  # it has no gradient
        self.assertRaises(adamant.BusyError, single.step)
        self.assertRaises(adamant.BusyError, single.state_dict)
        single.end_step()

    def test_keeps_the_statistics_of_an_open_step(self):
        optimizer = adamant.AdamW([ones(), ones()])
        statistics = adamant.Statistics()
        kept = weakref.ref(statistics)
        optimizer.begin_step(statistics=statistics)
        self.assertRaises(adamant.BusyError, optimizer.begin_step, statistics=adamant.Statistics())
        del statistics
        gc.collect()
        self.assertIsNotNone(kept())
        optimizer.step_tensor(0, ones())
        optimizer.end_step()
        self.assertRaises(adamant.InvalidArgumentError, optimizer.end_step)
        gc.collect()
        self.assertIsNone(kept())

    def test_lazy_rows(self):
        table, dense = ones((5, 3)), ones((5, 3))
        optimizer, other = adamant.SGD({"e": table}, lr=0.5), adamant.SGD([dense], lr=0.5)
        rows = numpy.array([3, 1, 3])
        values = random_numbers(1, 9).reshape(3, 3)
        optimizer.set_lazy_row_grad("e", rows, values)
        del rows
        gc.collect()
        optimizer.step()
        grad = numpy.zeros((5, 3), numpy.float32)
        numpy.add.at(grad, [3, 1, 3], values)
        other.step([grad])
        numpy.testing.assert_allclose(table, dense, rtol=1e-6)
        optimizer.step([ones((5, 3))])  # a dense one again
        numpy.testing.assert_allclose(table, dense - 0.5, rtol=1e-6)
        optimizer = adamant.SGD({"e": table, "w": ones()}, lr=0.5)
        before = table.copy()
        optimizer.set_lazy_row_grad("e", numpy.array([2]), ones((1, 3)))
        optimizer.set_grad("w", ones())  # leaves the other alone
        optimizer.step()
        numpy.testing.assert_array_equal(table[2], before[2] - numpy.float32(0.5))
        for rows, bad in [([0.0], ones((1, 3))), ([[0]], ones((1, 3))), ([0], ones((1, 4))), ([0, 1], ones((1, 3)))]:
            self.assertRaises(ValueError, optimizer.set_lazy_row_grad, "e", rows, bad)
        read_only = ones((1, 3))
        read_only.flags.writeable = False
        optimizer.set_lazy_row_grad("e", [0], read_only)
        self.assertRaisesRegex(adamant.InvalidArgumentError, "gradient of 'e' is read-only", optimizer.zero_grad)
        optimizer.set_lazy_row_grad("e", [5], ones((1, 3)))
        self.assertRaises(adamant.InvalidArgumentError, optimizer.step)

    def test_threads_wait_for_each_other(self):
        count, threads = 50, 8
        w = numpy.zeros(100_000, numpy.float32)
        optimizer = adamant.SGD([w], lr=1.0, threads=2)
        errors = []

        def work():
            try:
                for _ in range(count):
                    optimizer.step([numpy.full(100_000, -1, numpy.float32)])
                    optimizer.state[0], optimizer.lr, optimizer.steps
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        self.assertEqual(errors, [])
        numpy.testing.assert_array_equal(w, count * threads)
        self.assertEqual(optimizer.steps, count * threads)

    def test_other_threads_run_during_a_step(self):
        w = numpy.zeros(1 << 22, numpy.float32)
        optimizer = adamant.AdamW([(w, numpy.ones_like(w))], threads=1)
        ran, done = [0], threading.Event()

        def count():
            while not done.is_set():
                ran[0] += 1
                time.sleep(1e-4)

        thread = threading.Thread(target=count)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)  # seconds: nothing but a call that releases the GIL lets the other thread run
        try:
            thread.start()
            before = after = 0
            end = time.monotonic() + 20  # where other work has the processors, a step may be over before it is its turn
            while after == before and time.monotonic() < end:
                before = ran[0]
                optimizer.step()
                after = ran[0]
        finally:
            done.set()
            sys.setswitchinterval(interval)
            thread.join()
        self.assertGreater(after, before)


class StatesOf(unittest.TestCase):
    def test_views_are_the_engines_memory(self):
        w = ones()
        optimizer = adamant.SGD({"w": w}, lr=0.5, momentum=0.5)
        state = optimizer.state["w"]
        self.assertEqual(state["step"], 0)
        view = state["momentum_buffer"]
        self.assertFalse(view.flags.writeable)
        optimizer.step([ones()])
        numpy.testing.assert_array_equal(view, 1)
        self.assertEqual(optimizer.state[0]["step"], 1)
        self.assertEqual(list(optimizer.state), ["w"])
        numpy.testing.assert_array_equal(optimizer.export_state("w", "momentum_buffer"), 1)
        self.assertRaises(KeyError, optimizer.export_state, "w", "exp_avg")

    def test_views_outlive_the_optimizer_and_hold_its_memory(self):
        optimizer = adamant.SGD({"w": ones(), "b": ones()}, lr=0.5, momentum=0.5)
        optimizer.step([ones(), ones()])
        view = optimizer.state["w"]["momentum_buffer"][2:]
        for change in (lambda: optimizer.set_formats(state="bf16"), lambda: optimizer.remove_tensor("b"),
                       lambda: optimizer.add_group({"params": {"c": ones()}})):
            self.assertRaisesRegex(adamant.BusyError, "would move states that 1 arrays", change)
        engine = weakref.ref(optimizer._handle)
        del optimizer
        gc.collect()
        self.assertIsNotNone(engine())
        numpy.testing.assert_array_equal(view, 1)
        del view
        gc.collect()
        self.assertIsNone(engine())

        optimizer = adamant.SGD({"w": ones()}, momentum=0.5)
        view = optimizer.state["w"]
        del view
        optimizer.set_formats(state="bf16")
        self.assertEqual(optimizer.state["w"]["momentum_buffer"].dtype, numpy.uint16)

    def test_step_counts(self):
        optimizer = adamant.AdamW([ones()])
        optimizer.set_tensor_step(0, 7)
        self.assertEqual(optimizer.state[0]["step"], 7)
        self.assertRaises(adamant.InvalidArgumentError, optimizer.set_tensor_step, 0, 2**62 + 1)


class Checkpoints(unittest.TestCase):
    FORMATS = {"state": "q8", "weights": "split8", "format": "bf16", "seed": 5, "max_norm": 1.0}

    @staticmethod
    def params(seed=1):
        return {"w": to_bf16(random_numbers(seed, 5000)).reshape(50, 100), "b": to_bf16(random_numbers(seed + 1, 7))}

    @staticmethod
    def step(optimizer, seed):
        optimizer.step({"w": to_bf16(random_numbers(seed, 5000)).reshape(50, 100),
                        "b": to_bf16(random_numbers(seed, 7))})

    def test_a_run_continues_with_the_same_bits(self):
        for rule in adamant.RULES.values():
            params = self.params()
            first = rule(params, lr=0.01, **self.FORMATS)
            for seed in range(3):
                self.step(first, seed)
            saved, weights = first.state_dict(), {name: array.copy() for name, array in params.items()}

            file = io.BytesIO()
            numpy.savez(file, **saved)
            file.seek(0)
            for dict in (saved, pickle.loads(pickle.dumps(saved)), numpy.load(file)):
                copies = {name: array.copy() for name, array in weights.items()}
                second = rule(copies, lr=0.5, **self.FORMATS)
                second.load_state_dict(dict)
                self.assertEqual((second.lr, second.steps, second.state["w"]["step"]), (0.01, 3, 3))
                reference = {name: array.copy() for name, array in weights.items()}
                third = rule(reference, lr=0.01, **self.FORMATS)
                third.load_state_dict(saved)
                for seed in range(3, 6):
                    self.step(second, seed)
                    self.step(third, seed)
                for name in params:
                    numpy.testing.assert_array_equal(copies[name], reference[name])
            for seed in range(3, 6):
                self.step(first, seed)
            for name in params:
                numpy.testing.assert_array_equal(copies[name], params[name])

    def test_a_copy_is_a_copy(self):
        optimizer = adamant.SGD([ones()], momentum=0.5)
        saved = optimizer.state_dict()
        optimizer.step([ones()])
        numpy.testing.assert_array_equal(saved["0/momentum_buffer"], 0)

    def test_what_does_not_fit_is_refused_and_changes_nothing(self):
        optimizer = adamant.AdamW({"w": ones(), "b": ones()}, lr=0.25)
        optimizer.step([ones(), ones()])
        saved = optimizer.state_dict()
        before = pickle.dumps(saved)

        def without(key):
            return {name: value for name, value in saved.items() if name != key}

        for bad in (3, None, {}, {"adamant": "{"}, {"adamant": "[]"}, without("adamant"),
                    without("w/exp_avg"), dict(saved, **{"c/exp_avg": ones()}),
                    dict(saved, **{"w/exp_avg": ones(7)}), dict(saved, **{"w/exp_avg": ones(8, numpy.int32)}),
                    dict(saved, **{"w/exp_sum": ones()}), adamant.AdamW({"w": ones()}).state_dict(),
                    adamant.SGD({"w": ones(), "b": ones()}, momentum=0.5).state_dict(),
                    adamant.AdamW({"w": ones(), "b": ones(9)}).state_dict(),
                    dict(saved, adamant=saved["adamant"].replace("adamw-1", "adamw-9"))):
            with self.subTest(keys=str(bad)[:100]):
                self.assertRaises(adamant.Error, optimizer.load_state_dict, bad)
                self.assertEqual(pickle.dumps(optimizer.state_dict()), before)

    def test_an_optimizer_is_not_copied(self):
        for copying in (copy.copy, copy.deepcopy, pickle.dumps):
            self.assertRaisesRegex(TypeError, "AdamW works in the memory of arrays", copying, adamant.AdamW([ones()]))


if __name__ == "__main__":
    unittest.main()
