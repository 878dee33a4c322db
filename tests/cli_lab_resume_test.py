# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""`adamant lab --checkpoint-every` and `--resume`: a lab that was killed, anywhere and several times, ends as one that was not.

    cli_lab_resume_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv[1:]
TIMES = {"step_ns", "seconds"}
QUICK = ["--workload", "ravine", "--rules", "adamw", "--steps", "200", "--seeds", "1"]
RARE = " ".join(a + b + c for a in "abcdefghij" for b in "klmnopqrst" for c in "aeiou")
TEXT = ("The cat sat on the mat, and the dog didn't. " * 200 + RARE) * 2


def timeless(value):
    """Without what is a time, and without the random name of a log."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES | {"id"}}
    return [timeless(item) for item in value] if isinstance(value, list) else value


class Resume(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "text").write_text(TEXT)

    def start(self, *arguments):
        return subprocess.Popen([*PROGRAM, "lab", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.folder)

    def run_lab(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def outcome(self, *arguments):
        """All that a lab leaves in the folder `out`, but times; and what it says."""
        done = self.run_lab(*arguments, "--json", "--out", "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        logs = {path.name: [timeless(json.loads(line)) for line in path.read_text().splitlines()]
                for path in (self.folder / "out").glob("*.jsonl")}
        return timeless(json.loads(done.stdout)), logs

    def assert_refused(self, message, *arguments):
        done = self.run_lab(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(message, done.stderr)

    def newest(self, run="ravine-adamw-1", folder="out/checkpoints"):
        return max((self.folder / folder / run).glob("step-*.safetensors"), default=None)


class Kills(Resume):
    LAB = ["--workload", "digits,words,ravine", "--text", "text", "--rules", "sgd,adamw,mixed", "--state", "f32,q8", "--steps", "140",
           "--seeds", "1", "--log-every", "3"]
    SAVED = [*LAB, "--checkpoint-every", "30"]

    def test_a_lab_that_was_killed_ends_as_one_that_was_not(self):
        expected = self.outcome(*self.LAB)
        shutil.rmtree(self.folder / "out")
        self.assertEqual(self.outcome(*self.SAVED), expected, "checkpoints change nothing")
        self.assertEqual(len(expected[1]), 18)
        for begun in ((1, 6, 12), (3, 4, 16), (9, 10, 17)):
            shutil.rmtree(self.folder / "out")
            kills = 0
            arguments = self.SAVED
            for count in begun:
                process = self.start(*arguments, "--out", "out")
                while process.poll() is None and len(list(self.folder.glob("out/checkpoints/*/step-*"))) < 2 * count - 1:
                    time.sleep(0.001)
                kills += process.poll() is None
                process.kill()
                process.communicate()
                arguments = [*self.SAVED, "--resume"]
            self.assertGreater(kills, 1)
            self.assertEqual(self.outcome(*self.SAVED, "--resume"), expected)

    def test_attention_goes_on(self):
        for more in ([], ["--sparse"]):
            run = ["--workload", "attention", "--text", "text", "--rules", "adamw", "--steps", "6", "--seeds", "1",
                   "--log-every", "1", "--checkpoint-every", "2", *more]
            expected = self.outcome(*run)
            self.newest("attention-adamw-1").unlink()
            self.assertEqual(self.outcome(*run, "--resume"), expected)
            shutil.rmtree(self.folder / "out")

    def test_at_every_moment_of_a_short_run(self):
        """Steps of a landscape take microseconds, so that most of the time it is saving."""
        run = ["--workload", "ravine", "--rules", "adamw", "--steps", "40", "--seeds", "1", "--log-every", "1",
               "--checkpoint-every", "1"]
        begin = time.monotonic()
        expected = self.outcome(*run)
        length = time.monotonic() - begin
        stopped = set()
        for share in range(1, 12):
            shutil.rmtree(self.folder / "out")
            process = self.start(*run, "--out", "out")
            time.sleep(share / 12 * length)
            process.kill()
            process.communicate()
            newest = self.newest()
            stopped.add(newest and newest.name)
            self.assertEqual(self.outcome(*run, "--resume"), expected, newest)
        self.assertGreater(len(stopped), 3)

    def test_what_is_finished_is_not_trained_again(self):
        expected = self.outcome(*QUICK, "--checkpoint-every", "50")
        files = {path: path.stat().st_mtime_ns for path in (self.folder / "out").glob("**/*")
                 if path.suffix in (".jsonl", ".safetensors")}
        self.assertEqual(len(files), 3, "a log, and the last two checkpoints")
        self.assertEqual(self.outcome(*QUICK, "--checkpoint-every", "50", "--resume"), expected)
        self.assertEqual({path: path.stat().st_mtime_ns for path in files}, files)

    def test_where_nothing_was_saved_it_says_that_it_starts_anew(self):
        """So that a job may always pass --resume, and a folder that was mistyped is seen."""
        saved = [*QUICK, "--checkpoint-every", "150"]
        for where, named in ((["--out", "out"], "out"), (["--out", "other", "--checkpoints", "saved"], "saved")):
            first, second = (self.run_lab(*saved, *where, "--resume") for _ in range(2))
            self.assertEqual((first.returncode, second.returncode), (0, 0))
            self.assertEqual(first.stderr.splitlines()[0], f"nothing to resume in {named}: starting anew")
            self.assertNotIn("nothing to resume", second.stderr)
        self.assertIn("nothing to resume in out", self.run_lab(*QUICK, "--set", "eps=1e-6", "--state", "bf16", "--out", "out",
                                                               "--resume").stderr, "what is there is of other runs")
        self.assertNotIn("nothing to resume", self.run_lab(*saved, "--out", "new").stderr)

    def test_a_run_that_diverges(self):
        run = ["--workload", "ravine", "--rules", "sgd", "--steps", "100", "--seeds", "1", "--lr", "0.0025", "--checkpoint-every", "2"]
        expected = self.outcome(*run)
        self.assertEqual(expected[0]["results"][0]["outcome"], "diverged")
        self.assertEqual(self.outcome(*run, "--resume"), expected)
        self.newest("ravine-sgd-1").unlink()  # before it diverged
        self.assertEqual(self.outcome(*run, "--resume"), expected, "it is measured by the first loss")

    def test_steps_to_the_target_are_counted_over_a_stop(self):
        run = ["--workload", "ravine", "--rules", "adamw", "--steps", "300", "--seeds", "1", "--log-every", "1"]
        expected = self.outcome(*run)
        reached = expected[0]["results"][0]["steps_to_target"]
        for before in (1, 10, 25):
            saved = [*run, "--checkpoint-every", str(reached - before)]
            shutil.rmtree(self.folder / "out")
            self.assertEqual(self.outcome(*saved), expected)
            while int(self.newest().name[5:17]) > reached - before:
                self.newest().unlink()
            self.assertEqual(self.outcome(*saved, "--resume"), expected)

    def test_without_resume_it_begins_anew(self):
        expected = self.outcome(*QUICK, "--checkpoint-every", "50")
        other = self.outcome(*QUICK, "--lr", "0.001", "--checkpoint-every", "50")
        self.assertNotEqual(other, expected)
        self.assertEqual(self.outcome(*QUICK, "--checkpoint-every", "50"), expected)

    def test_no_checkpoints_where_none_are_asked_for(self):
        self.outcome(*QUICK)
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()), ["ravine-adamw-1.jsonl", "report.html"])


class Interrupts(Resume):
    RUN = ["--workload", "ravine", "--rules", "sgd,adamw", "--steps", "200000", "--seeds", "1", "--log-every", "100"]

    def interrupt(self, *arguments):
        process = self.start(*self.RUN, *arguments, "--json")
        while process.poll() is None and not list(self.folder.glob("*/**/*.jsonl")):
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, json.loads(out), err

    def test_ctrl_c_saves_and_says_how_to_go_on(self):
        expected = self.outcome(*self.RUN)
        shutil.rmtree(self.folder / "out")
        code, report, err = self.interrupt("--checkpoint-every", "1000000")
        self.assertEqual((code, report["interrupted"]), (130, True))
        (folder,) = (self.folder / "runs").iterdir()
        self.assertIn(f"The same command with --out runs/{folder.name} --resume goes on\n", err)
        shutil.move(folder, self.folder / "out")
        newest = self.newest("ravine-sgd-1") or self.newest()
        self.assertRegex(newest.name, r"^step-\d{12}\.safetensors$")
        code, _, _ = self.interrupt("--out", "out", "--resume")
        self.assertIn(code, (0, 130))
        self.assertEqual(self.outcome(*self.RUN, "--resume"), expected)

    def test_a_folder_of_their_own(self):
        code, _, _ = self.interrupt("--checkpoint-every", "5000", "--checkpoints", "elsewhere", "--out", "out")
        self.assertEqual(code, 130)
        self.assertFalse((self.folder / "out" / "checkpoints").exists())
        self.assertTrue(list((self.folder / "elsewhere").glob("ravine-*/step-*.safetensors")))


class Refusals(Resume):
    def test_other_settings(self):
        saved = [*QUICK, "--out", "out", "--checkpoint-every", "50"]
        self.assertEqual(self.run_lab(*saved).returncode, 0)
        resumed = [*saved, "--resume"]
        before = {path: path.read_bytes() for path in (self.folder / "out").glob("**/*") if path.is_file()}
        for more, difference in (
            (["--lr", "0.5"], 'lr is "0.03" there, "0.5" here'),
            (["--betas", "0.9,0.95"], 'betas is "(0.9, 0.999)" there, "(0.9, 0.95)" here'),
            (["--set", "maximize=true"], 'maximize is "false" there, "true" here'),
            (["--batch-size", "2"], "batch_size is 1 there, 2 here"),
            (["--log-every", "7"], "log_every is 10 there, 7 here"),
        ):
            self.assert_refused(f"' is of a run with other settings: {difference}\n", *resumed, *more)
        self.assert_refused("steps is 200 there, 100 here", *[x if x != "200" else "100" for x in resumed])
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        shutil.copytree(self.folder / "out/checkpoints/ravine-adamw-1", self.folder / "out/checkpoints/ravine-adamw-2")
        two = [x if x != "1" else "2" for x in resumed]
        self.assert_refused("seed is 1 there, 2 here", *two)
        shutil.copytree(self.folder / "out/checkpoints/ravine-adamw-1", self.folder / "out/checkpoints/ravine-adam-1")
        self.assert_refused('rule is "adamw" there, "adam" here', *[x if x != "adamw" else "adam" for x in resumed])

    def test_another_text_of_as_many_words(self):
        saved = ["--workload", "words", "--text", "text", "--rules", "sgd", "--steps", "4", "--seeds", "1", "--out", "out",
                 "--checkpoint-every", "2"]
        self.assertEqual(self.run_lab(*saved).returncode, 0)
        (self.folder / "text").write_text(TEXT.replace("dog", "fox"))
        self.assert_refused("' is of a run with other settings: description is \"", *saved, "--resume")

    def test_other_files(self):
        saved = [*QUICK, "--out", "out", "--checkpoint-every", "150"]
        self.run_lab(*saved)
        newest = self.newest()
        newest.unlink()  # a run that is not finished
        raw = bytearray(self.newest().read_bytes())
        raw[-1] ^= 1
        self.newest().write_bytes(raw)
        done = self.run_lab(*saved, "--resume")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("damaged", done.stderr)
        raw[-1] ^= 1
        self.newest().write_bytes(raw)
        log = self.folder / "out/ravine-adamw-1.jsonl"
        text = log.read_text()
        for other, reason in ((text[:500], "not a run log"), (text.replace('"id":"', '"id":"x'), "it is another log")):
            log.write_text(other)
            done = self.run_lab(*saved, "--resume")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(reason, done.stderr)
            self.assertEqual(log.read_text(), other)

    def test_usage(self):
        self.assert_refused("--resume: needs --out", *QUICK, "--resume")
        self.assert_refused("--checkpoints: 'x' needs --checkpoint-every or --resume", *QUICK, "--checkpoints", "x")
        self.assert_refused("--checkpoint-every: '0' must be from 1", *QUICK, "--checkpoint-every", "0")
        self.assert_refused("--checkpoint-every: '5' cannot be given with --tune", "--tune", "--checkpoint-every", "5")
        self.assert_refused("--resume: cannot be given with --tune", "--tune", "--resume")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["text"])
        done = self.run_lab("--help")
        for word in ("--checkpoint-every", "--checkpoints", "--resume"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
