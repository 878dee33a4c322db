# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Statistics, run logs, TensorBoard and health checks from Python."""

import contextlib
import gc
import json
import math
import pathlib
import tempfile
import threading
import unittest
import weakref

from support import most_at_once, numpy, random_numbers

import adamant
from adamant._library import c


def run(steps=3, **settings):
    w, b = numpy.ones(1000, numpy.float32), numpy.ones(10, numpy.float32)
    optimizer = adamant.AdamW({"w": w, "b": b}, **settings)
    for step in range(steps):
        yield optimizer, [random_numbers(step, 1000), random_numbers(step + 100, 10)]


class OfMoments(unittest.TestCase):
    def test_numbers(self):
        statistics = adamant.Statistics(observe_every=1, sample_every=1, probes=4)
        for step, (optimizer, grads) in enumerate(run(), 1):
            optimizer.step(grads, statistics=statistics)
            self.assertEqual([tensor.tensor for tensor in statistics], ["w", "b"])
            tensor = statistics[0]
            self.assertEqual((tensor.step, tensor.elements, len(tensor.probes)), (step, 1000, 4))
            self.assertEqual(tensor.bins.sum(), 1000)
            self.assertEqual(set(tensor.moments), set(adamant.MOMENTS))
            self.assertTrue(any(math.isfinite(moment.value) for moment in tensor.moments.values()))
            probe = tensor.probes[0]
            self.assertEqual(probe.g, grads[0][probe.element])
            self.assertEqual(probe.m, optimizer.state["w"]["exp_avg"][probe.element])
        self.assertRaises(IndexError, lambda: statistics[2])
        self.assertEqual(len(adamant.Statistics()), 0)
        self.assertTrue(all(info.question and info.reading for info in adamant.MOMENTS.values()))

    def test_what_is_left_out(self):
        statistics = adamant.Statistics(observe_every=1, sample_every=None, probes=0)
        for optimizer, grads in run(1):
            optimizer.step(grads, statistics=statistics)
        self.assertEqual((statistics[0].probes, statistics[0].bins.sum()), ([], 0))


    def test_of_a_step_that_was_skipped(self):
        statistics = adamant.Statistics()
        for optimizer, grads in run(1):
            report = optimizer.step([grads[0] * numpy.nan, grads[1]], statistics=statistics)
        self.assertEqual((report.applied, len(statistics)), (False, 0))
        finding, = adamant.Health(optimizer).step(1.0, report, statistics)
        self.assertEqual((finding.cause, finding.tensor), ("non_finite", "w"))

    def test_what_is_told_of_a_step(self):
        for optimizer, grads in run(1):
            report = optimizer.step(grads)
        health = adamant.Health(optimizer)
        for told, said in [(("x", report), "loss is 'x': it must be a number"),
                           ((1.0, None), "the report is of type NoneType: it must be the StepReport"),
                           ((1.0, report, 3), "the statistics are of type int: they must be an adamant.Statistics")]:
            with self.assertRaisesRegex(adamant.InvalidArgumentError, said):
                health.step(*told)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class OfRunLog(InFolder):
    def test_lines(self):
        path, log = self.folder / "run.jsonl", None
        for step, (optimizer, grads) in enumerate(run(4, max_norm=1.0)):
            log = log or adamant.RunLog(path, optimizer, title="first", every=2, flush_seconds=None, batch_size=32,
                                        git="abc")
            report = optimizer.step(grads, statistics=log.statistics)
            log.step(0.5 ** step, report)
        log.end(accuracy=0.75)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertIn("first", json.dumps(lines[0]))
        self.assertIn('"batch_size": 32', json.dumps(lines[0]))
        self.assertIn("abc", json.dumps(lines[0]))
        self.assertEqual([line["step"] for line in lines if "loss" in line], [1, 2, 4])
        self.assertIn("0.75", json.dumps(lines[-1]))
        for call in (log.flush, log.end, lambda: log.statistics, lambda: log.step(1.0, report)):
            self.assertRaisesRegex(adamant.InvalidArgumentError, "this RunLog is closed", call)

    def test_statistics_keep_the_log(self):
        for optimizer, grads in run(1):
            statistics = adamant.RunLog(self.folder / "run.jsonl", optimizer).statistics
            optimizer.step(grads, statistics=statistics)
            self.assertEqual(len(statistics), 2)

    def test_closed_during_a_step(self):
        path = self.folder / "run.jsonl"
        for optimizer, grads in run(2):
            log = adamant.RunLog(path, optimizer)
            log.step(1.0, optimizer.step(grads, statistics=log.statistics))
            optimizer.begin_step(statistics=log.statistics)
            log.close()
            self.assertIn('"loss"', path.read_text())  # though the file is open
            handle = weakref.ref(optimizer._filled._log)
            del log
            gc.collect()
            self.assertIsNotNone(handle())
            for index, grad in enumerate(grads):
                optimizer.step_tensor(index, grad)
            optimizer.end_step()
            gc.collect()
            self.assertIsNone(handle())

    def lines_of_a_run(self, stopped):
        """Without what depends on the time. A run that is stopped goes on from a checkpoint of one step before."""
        path, checkpoint = self.folder / f"{stopped}.jsonl", self.folder / "run.safetensors"
        log = None
        for step, (optimizer, grads) in enumerate(run(4)):
            log = log or adamant.RunLog(path, optimizer)
            if step == 2:
                adamant.save(optimizer, checkpoint, metadata={"log": log.position()}, params=True)
            log.step(0.5 ** step, optimizer.step(grads, statistics=log.statistics))
            if step == 2 and stopped:
                log.close()
                position = adamant.load(optimizer, checkpoint, params=True).metadata["log"]
                log = adamant.RunLog(path, optimizer, resume=position)
                log.step(0.5 ** step, optimizer.step(grads, statistics=log.statistics))
        log.end()
        return [{key: value for key, value in json.loads(line).items() if key not in ("seconds", "id")}
                for line in path.read_text().splitlines()]

    def test_that_goes_on(self):
        lines = self.lines_of_a_run(True)
        self.assertEqual([line["step"] for line in lines if "loss" in line], [1, 2, 3, 4])
        self.assertEqual(lines, self.lines_of_a_run(False))

    def test_refuses_to_go_on(self):
        path = self.folder / "run.jsonl"
        for optimizer, _ in run(1):
            self.assertRaises(adamant.InvalidArgumentError, adamant.RunLog, path, optimizer, resume="step 7")
            with adamant.RunLog(path, optimizer) as log:
                position = log.position()
            path.unlink()
            self.assertRaises(OSError, adamant.RunLog, path, optimizer, resume=position)

    def test_as_a_context(self):
        for end in (True, False):
            path = self.folder / f"{end}.jsonl"
            try:
                for optimizer, grads in run(1):
                    with adamant.RunLog(path, optimizer) as log:
                        log.step(1.0, optimizer.step(grads, statistics=log.statistics))
                        if not end:
                            raise KeyboardInterrupt
            except KeyboardInterrupt:
                pass
            self.assertEqual('"end"' in path.read_text().splitlines()[-1], end)


class FromAnyThread(InFolder):
    def test_calls_wait_for_each_other(self):
        (optimizer, grads), = run(1)
        statistics = adamant.Statistics()
        report = optimizer.step(grads, statistics=statistics)
        log = adamant.RunLog(self.folder / "run.jsonl", optimizer)
        board, health = adamant.TensorBoard(self.folder, optimizer), adamant.Health(optimizer)

        def step(told, *more):
            with contextlib.suppress(adamant.Error):  # which has been told of this step, or is closed
                told.step(1.0, report, *more)

        for prefix, calls in {
                "run_log_": (log.position, log.flush, lambda: log.statistics, lambda: step(log)),
                "tensorboard_": (board.flush, lambda: board.path, lambda: step(board, statistics)),
                "health_": (lambda: health.findings, lambda: health.lights, lambda: step(health, statistics))}.items():
            for call in calls:
                self.assertEqual(most_at_once(c, prefix, [call, call, calls[0]]), 1)
        for told in (log, board):
            with told._lock:  # as a call that runs
                closing = threading.Thread(target=told.close)
                closing.start()
                closing.join(0.05)
                self.assertIsNotNone(told._handle)
            closing.join()
            self.assertIsNone(told._handle)
        log = adamant.RunLog(self.folder / "run.jsonl", optimizer)

        def end():
            with contextlib.suppress(adamant.Error):
                log.end()

        self.assertEqual(most_at_once(c, "run_log_", [end, end, lambda: step(log)]), 1)


class OfTensorBoard(InFolder):
    def test_file(self):
        for optimizer, grads in run(1):
            statistics = adamant.Statistics()
            with adamant.TensorBoard(self.folder, optimizer, tensors=["w"], flush_seconds=None) as board:
                board.step(1.0, optimizer.step(grads, statistics=statistics), statistics)
                board.step(1.0, optimizer.step(grads))
                board.flush()
                path = pathlib.Path(board.path)
                self.assertEqual(path.parent, self.folder)
                self.assertGreater(path.stat().st_size, 0)
                self.assertIn(b"loss", path.read_bytes())
            self.assertRaisesRegex(adamant.InvalidArgumentError, "this TensorBoard is closed", board.flush)
            self.assertRaises(KeyError, adamant.TensorBoard, self.folder, optimizer, tensors=["c"])


class OfHealth(unittest.TestCase):
    def test_findings(self):
        health = None
        for optimizer, grads in run(1):
            health = adamant.Health(optimizer)
            self.assertEqual(set(health.lights.values()), {"green"})
            self.assertEqual(health.step(1.0, optimizer.step(grads)), [])
            found = health.step(float("nan"), optimizer.step(grads))
        self.assertEqual(repr(found), repr(health.findings))
        self.assertGreater(len(found), 0)
        self.assertEqual(found[0].severity, "red")
        self.assertEqual(health.lights[found[0].light], "red")
        self.assertTrue(found[0].sentence and found[0].advice and found[0].cause)

    def test_a_step_that_was_not_applied_has_empty_statistics(self):
        for optimizer, grads in run(1, nonfinite="skip"):
            grads[0][5] = math.nan
            statistics = adamant.Statistics()
            report = optimizer.step(grads, statistics=statistics)
            self.assertEqual((report.applied, len(statistics)), (False, 0))
            self.assertGreater(len(adamant.Health(optimizer).step(1.0, report, statistics)), 0)
            with tempfile.TemporaryDirectory() as folder, adamant.TensorBoard(folder, optimizer) as board:
                board.step(1.0, report, statistics)


if __name__ == "__main__":
    unittest.main()
