# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant lab`.

    cli_lab_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import fcntl
import gzip
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAM = sys.argv[1:]
QUICK = ["--workload", "ravine", "--rules", "adamw", "--steps", "30", "--seeds", "1"]


class Lab(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_lab(self, *arguments, **settings):
        return subprocess.run([*PROGRAM, "lab", *arguments], capture_output=True, text=True, cwd=self.folder, **settings)

    def results_of(self, *arguments):
        done = self.run_lab("--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["results"]

    def assert_refused(self, message, *arguments, code=2):
        done = self.run_lab(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertEqual(done.stderr, f"adamant lab: {message}\n")


class Answers(Lab):
    def test_help_names_everything(self):
        done = self.run_lab("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ["--workload", "--rules", "--steps", "--seeds", "--lr", "--weight-decay", "--batch-size", "--threads",
                     "--state", "--out", "--json", "digits,words,attention,ravine,rosenbrock", "q8-lite", "adamw"]:
            self.assertIn(word, done.stdout)

    def test_betas(self):
        default, same, other = (
            self.results_of("--workload", "ravine", "--rules", "adamw", "--steps", "25", "--seeds", "1", *betas)[0]
            for betas in ([], ["--betas", "0.9,0.999"], ["--betas", "0.9,0.95"]))
        self.assertEqual(default["loss"], same["loss"])
        self.assertNotEqual(default["loss"], other["loss"])
        self.assertEqual(other["betas"], [0.9, 0.95])

    def test_any_option_of_the_rules(self):
        run = ["--workload", "ravine", "--rules", "sgd,adamw", "--steps", "25", "--seeds", "1"]
        plain, both, short = (self.results_of(*run, *more) for more in (
            [], ["--set", "momentum=0.5", "--set", "lr=0.001", "--set", "amsgrad=true"], ["--lr", "0.001"]))
        self.assertEqual(both[0]["options"], {"lr": 0.001, "momentum": 0.5, "weight_decay": 0.0})
        self.assertEqual(both[1]["options"], {"lr": 0.001, "weight_decay": 0.0, "amsgrad": True})
        for i in range(2):
            self.assertNotEqual(both[i]["loss"], short[i]["loss"])
            self.assertNotEqual(both[i]["loss"], plain[i]["loss"])
            self.assertEqual(short[i]["lr"], 0.001)
        (same,) = self.results_of(*run[:2], "--rules", "sgd", *run[4:], "--set", "momentum=0.9", "--set", "lr=0.001")
        (momentum,) = self.results_of(*run[:2], "--rules", "momentum", *run[4:], "--set", "lr=0.001")
        self.assertEqual(same["loss"], momentum["loss"])

    def test_two_rules_in_one_run(self):
        out = self.folder / "logs"
        mixed, alone = self.results_of("--workload", "digits", "--rules", "mixed,adamw", "--steps", "25", "--seeds", "1",
                                       "--out", str(out))
        self.assertEqual((mixed["rule"], mixed["outcome"]), ("mixed", "finished"))
        self.assertNotEqual(mixed["loss"], alone["loss"])
        self.assertEqual((mixed["lr"], mixed["weight_decay"]), ([0.003, 0.03], [0.01, 0.0]))
        self.assertEqual([options["lr"] for options in mixed["options"]], mixed["lr"])
        self.assertEqual((alone["lr"], alone["options"]["lr"]), (0.003, 0.003))
        self.assertLess(mixed["bytes_per_param"], alone["bytes_per_param"], "momentum has one state, adamw two")
        self.assertNotIn("mixed", {r["rule"] for r in self.results_of("--workload", "ravine", "--steps", "2", "--seeds", "1")})

    def test_json(self):
        results = self.results_of("--workload", "digits,ravine", "--rules", "sgd,adamw", "--steps", "25", "--seeds", "2")
        self.assertEqual([(r["workload"], r["rule"], r["seed"]) for r in results],
                         [(w, r, s) for w in ("digits", "ravine") for r in ("sgd", "adamw") for s in (1, 2)])
        for result in results:
            metric = {"digits": "accuracy", "ravine": "distance"}[result["workload"]]
            for key in ("loss", metric, "step_ns", "bytes_per_param", "steps"):
                self.assertGreater(result[key], 0, key)
            self.assertEqual(result["state"], "f32")
            self.assertIsNone(result["betas"])
            self.assertEqual(result["outcome"], "finished")
        self.assertAlmostEqual(results[0]["bytes_per_param"], 4.0, delta=0.5)
        self.assertAlmostEqual(results[2]["bytes_per_param"], 12.0, delta=0.5)

    def test_the_same_numbers_again_and_on_any_threads(self):
        def losses(*arguments):
            return [r["loss"] for r in self.results_of("--workload", "digits", "--steps", "40", "--seeds", "2",
                                                       "--rules", "momentum,adamw", *arguments)]

        first = losses()
        self.assertEqual(losses(), first)
        self.assertEqual(losses("--threads", "1"), first)
        self.assertNotEqual(first[0], first[1], "another seed is another run")

    def test_the_table(self):
        done = self.run_lab(*QUICK)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^ravine: quadratic of 100 parameters")
        self.assertRegex(done.stdout, r"(?m)^  adamw +0\.03 +0  [\d.]+ +[\d.]+ +not reached +[\d.]+ µs +\d+\.\d$")
        self.assertNotIn("\r", done.stderr, "no progress bar where there is no terminal")
        self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_a_sentence_below_the_table(self):
        run = ["--workload", "ravine", "--steps", "30", "--seeds", "1"]
        self.assertRegex(self.run_lab(*run, "--rules", "momentum,adamw").stdout,
                         r"(?m)^  (momentum|adamw) has the lowest loss, [\d.]+; the best that .*, is [\d.]+ above it, on a single seed\.$")
        self.assertNotIn("lowest", self.run_lab(*run, "--rules", "adamw").stdout)

    def test_the_table_has_what_each_group_uses(self):
        run = ["--workload", "digits", "--rules", "mixed", "--steps", "2", "--seeds", "1"]
        self.assertRegex(self.run_lab(*run).stdout, r"(?m)^  mixed +0\.003/0\.03 +0\.01/0 ")
        self.assertRegex(self.run_lab(*run, "--lr", "0.5").stdout, r"(?m)^  mixed +0\.5 +0\.01/0 ")

    def test_states_that_no_tensor_has_are_not_compared(self):
        table = self.run_lab("--workload", "ravine", "--rules", "adamw", "--steps", "30", "--seeds", "2", "--state",
                             "f32,bf16,q8,q8-lite").stdout
        self.assertRegex(table, r"(?m)^  adamw-bf16 .* loss [+-][\d.]+% ±[\d.]+% against f32$")
        for state in ("q8", "q8-lite"):
            self.assertRegex(table, rf"(?m)^  adamw-{state} .*\d  f32 states: fewer than 4096 elements$")

    def test_states_are_compared(self):
        results = self.results_of("--workload", "digits", "--rules", "adamw", "--steps", "100", "--seeds", "1", "--state",
                                  "f32,bf16,b16,q8,q8-lite")
        self.assertEqual([r["state"] for r in results], ["f32", "bf16", "b16", "q8", "q8-lite"])
        sizes = [r["bytes_per_param"] for r in results]
        self.assertTrue(sizes[0] > sizes[1] > sizes[3] > sizes[4], sizes)
        for result in results[1:]:
            self.assertNotEqual(result["loss"], results[0]["loss"])
            self.assertAlmostEqual(result["loss"] / results[0]["loss"], 1.0, delta=0.1)
        table = self.run_lab("--workload", "digits", "--rules", "adamw", "--steps", "100", "--seeds", "2", "--state",
                             "f32,q8").stdout
        self.assertRegex(table, r"(?m)^  adamw-q8 .* loss [+-][\d.]+% ±[\d.]+% against f32$")


class Logs(Lab):
    def test_one_for_each_run(self):
        out = self.folder / "logs"
        for _ in range(2):  # a second run replaces them
            results = self.results_of("--workload", "ravine", "--rules", "sgd,adamw", "--steps", "25", "--seeds", "2",
                                      "--log-every", "10", "--out", str(out))
            self.assertEqual(sorted(p.name for p in out.iterdir()),
                             ["ravine-adamw-1.jsonl", "ravine-adamw-2.jsonl", "ravine-sgd-1.jsonl",
                              "ravine-sgd-2.jsonl", "report.html"])
        for result in results:
            with open(result["log"]) as log:
                lines = [json.loads(line) for line in log]
            run, end = lines[0], lines[-1]
            self.assertEqual((run["event"], end["event"]), ("run", "end"))
            notes = run["notes"]
            self.assertEqual((notes["workload"], notes["rule"], notes["seed"], notes["steps"]),
                             ("ravine", result["rule"], result["seed"], 25))
            steps = [line for line in lines if line["event"] == "step"]
            self.assertEqual([line["step"] for line in steps], [1, 10, 20])
            self.assertLess(steps[-1]["lr"][0], steps[0]["lr"][0])
            self.assertTrue(all(line["moments"] for line in steps))
            self.assertEqual((end["notes"]["outcome"], end["notes"]["loss"]), ("finished", result["loss"]))

    def test_a_new_folder_each_time(self):
        for _ in range(2):
            self.assertEqual(self.run_lab(*QUICK).returncode, 0)
        self.assertEqual(len(list((self.folder / "runs").iterdir())), 2)

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere")
    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "closed").mkdir(mode=0o500)
        self.assert_refused("--out: 'closed' cannot be written: Permission denied", *QUICK, "--out", "closed", code=1)

    def test_standard_error_that_is_full_or_closed(self):
        for arguments, code in ((QUICK, 0), (["--steps", "-1"], 2)):
            for stderr in (open("/dev/full", "w"), None):
                done = subprocess.run([*PROGRAM, "lab", *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True,
                                      cwd=self.folder, preexec_fn=None if stderr else lambda: os.close(2))
                self.assertEqual(done.returncode, code)
                self.assertEqual("adamw" in done.stdout, code == 0)

    def test_standard_output_that_is_full(self):
        for arguments in (["lab", *QUICK], ["lab", "--help"], ["--version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, cwd=self.folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("cannot write to standard output", done.stderr)

    def test_a_page_that_cannot_be_written_does_not_take_the_results_along(self):
        (self.folder / "out" / "report.html").mkdir(parents=True)
        done = self.run_lab(*QUICK, "--out", "out")
        self.assertEqual(done.returncode, 1)
        self.assertIn("adamw", done.stdout)
        self.assertIn("'out/report.html' cannot be written: Is a directory\n", done.stderr)

    def test_a_folder_that_is_a_file(self):
        (self.folder / "file").write_text("kept")
        self.assert_refused("--out: 'file' cannot be made: Not a directory", *QUICK, "--out", "file", code=1)
        self.assertEqual((self.folder / "file").read_text(), "kept")


class Terminals(Lab):
    def bars(self, columns):
        """What is shown between the times that the line is erased."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm"}
        process = subprocess.Popen([*PROGRAM, "lab", *QUICK[:-4], "--steps", "100000", "--log-every", "100000", "--seeds", "1"],
                                   stdout=subprocess.DEVNULL, stderr=its, cwd=self.folder, env=environment)
        os.close(its)
        shown = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # the program has ended
                break
            if not some:
                break
            shown += some
        os.close(ours)
        self.assertEqual(process.wait(), 0)
        bars = [bar.decode() for bar in re.findall(rb"\r([^\r\n]+)\x1b\[K", shown)]
        self.assertGreater(len(bars), 1)
        return bars

    def test_the_bar_fits(self):
        whole = r"ravine adamw seed 1/1 \[#*-*\] +\d+% loss \S+"
        for columns, words in ((0, whole), (100, whole), (50, r"ravine adamw seed 1/1 +\d+% loss \S+"),
                               (20, r" *\d+% ravine adamw s")):
            for bar in self.bars(columns)[1:]:  # after the first step, which has a loss
                self.assertRegex(bar, rf"\A{words}\Z")
                self.assertTrue(columns == 0 or len(bar) < columns, (columns, bar))


class Texts(Lab):
    WORDS = ["--workload", "words", "--rules", "adamw", "--steps", "5", "--seeds", "1"]

    def text(self, content):
        path = self.folder / "text"
        path.write_bytes(content)
        return str(path)

    def test_any_text(self):
        content = b"The cat sat on the mat, and the dog didn't. " * 300
        for packed in (content, gzip.compress(content)):
            (result,) = self.results_of(*self.WORDS, "--text", self.text(packed))
            self.assertGreater(result["perplexity"], 1.0)

    def test_texts_that_are_none(self):
        for content, reason in [(b"", "fewer than"), (b"three small words", "fewer than"), (bytes(range(256)) * 100, "UTF-8"),
                                (gzip.compress(b"word " * 5000)[:-20], "damaged")]:
            done = self.run_lab(*self.WORDS, "--text", self.text(content))
            self.assertEqual((done.returncode, done.stdout), (1, ""), reason)
            self.assertIn(str(self.folder / "text"), done.stderr)
        done = self.run_lab(*self.WORDS, "--text", "absent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'absent'", done.stderr)

    def test_rows(self):
        rare = " ".join(a + b + c for a in "abcdefghij" for b in "klmnopqrst" for c in "aeiou")
        content = self.text(b"The cat sat on the mat, and the dog didn't. " * 300 + rare.encode())
        dense, sparse = (self.results_of(*self.WORDS, "--text", content, *more)[0] for more in ([], ["--sparse"]))
        self.assertNotEqual(dense["loss"], sparse["loss"])
        attention = ["--workload", "attention", *self.WORDS[2:], "--text", content]
        dense, sparse = (self.results_of(*attention, *more)[0] for more in ([], ["--sparse"]))
        self.assertNotEqual(dense["loss"], sparse["loss"])
        self.assertLess(sparse["loss"], 6.5)
        self.assert_refused("--sparse: cannot be given with --state q8: its groups of 128 states lie across the rows of the "
                            "embedding", *self.WORDS, "--text", content, "--sparse", "--state", "q8")


class Refusals(Lab):
    def test_names_and_numbers(self):
        self.assert_refused("--workload: 'digit' is not known: must be one of digits, words, attention, ravine, rosenbrock", "--workload", "digit")
        self.assert_refused("--rules: 'lion' is not known: must be one of sgd, momentum, adagrad, rmsprop, adam, adamw, mixed", "--rules", "lion")
        self.assert_refused("--rules: 'sgd' is given twice", "--rules", "sgd,sgd")
        self.assert_refused("--state: 'q4' is not known: must be one of f32, bf16, f16, b16, q8, q8-lite", "--state", "q4")
        self.assert_refused("--betas: '0.9' is not two numbers separated by a comma", "--betas", "0.9")
        self.assert_refused("--betas: none of the rules has betas: sgd", "--rules", "sgd", "--betas", "0.9,0.95")
        self.assert_refused("--set: none of the rules has momentum: adamw", "--rules", "adamw", "--set", "momentum=0.9")
        self.assert_refused("--set: 'momentum' is not name=value, such as momentum=0.9", "--set", "momentum")
        self.assert_refused("--set: unknown option 'moment': must be one of lr, betas, alpha, momentum, dampening, eps, "
                            "weight_decay, lr_decay, initial_accumulator_value, nesterov, amsgrad, centered, maximize",
                            "--set", "moment=0.9")
        self.assert_refused("--set: option amsgrad must be true or false, not '2'", "--set", "amsgrad=2")
        self.assert_refused("--set: 'lr' is given twice", "--lr", "0.1", "--set", "lr=0.1")
        self.assert_refused("--set: 'lr' cannot be given with --tune", "--tune", "--set", "lr=0.1")
        self.assert_refused("Invalid alpha value: 1 (alpha must be in [0, 1), also after rounding to f32)", "--set", "alpha=1")
        self.assert_refused("--steps: '0' must be from 1 to 10000000", "--steps", "0")
        self.assert_refused("--steps: '-3' must be from 1 to 10000000", "--steps=-3")
        self.assert_refused("--seeds: 'many' is not a whole number", "--seeds", "many")
        self.assert_refused("--lr: 'nan' is not a finite number", "--lr", "nan")
        self.assert_refused("--batch-size: '1e3' is not a whole number", "--batch-size", "1e3")
        self.assertEqual(list(self.folder.iterdir()), [], "nothing was made")

    def test_what_the_engine_refuses(self):
        done = self.run_lab(*QUICK, "--lr", "-1")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Invalid learning rate: -1", done.stderr)

    def test_unknown_commands(self):
        result = subprocess.run([*PROGRAM, "lba"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown command lba: must be one of lab, report", result.stderr)

    def test_unknown_options(self):
        done = self.run_lab("--stpes", "3")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--stpes", done.stderr)


class Ends(Lab):
    def test_a_run_that_diverges_says_so(self):
        done = self.run_lab("--workload", "ravine", "--rules", "sgd,adamw", "--steps", "50", "--seeds", "1", "--lr", "1")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"ravine sgd seed 1/1: diverged at step \d+")
        self.assertRegex(done.stdout, r"(?m)^  sgd +1 +0  diverged")

    def test_an_interrupt_keeps_what_was_done(self):
        command = [*PROGRAM, "lab", "--workload", "ravine", "--rules", "sgd,adamw", "--steps", "1000000", "--seeds", "1"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        logs = self.folder / "runs"
        while not list(logs.glob("*/ravine-sgd-1.jsonl")):
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("Interrupted", out)
        (log,) = logs.glob("*/ravine-sgd-1.jsonl")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual((lines[-1]["event"], lines[-1]["notes"]["outcome"]), ("end", "interrupted"))

    def test_an_interrupt_shows_no_workload_that_has_no_run(self):
        command = [*PROGRAM, "lab", "--workload", "ravine,rosenbrock,digits", "--rules", "adamw", "--steps", "100000", "--seeds",
                   "1", "--log-every", "1000", "--checkpoint-every", "1000000"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        while process.poll() is None and not list(self.folder.glob("runs/*/rosenbrock-adamw-1.jsonl")):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(re.findall(r"(?m)^(\w+): .*\n  100000 steps", out), ["ravine"])
        self.assertEqual(len(re.findall(r"(?m)^  rule ", out)), 1)
        self.assertEqual((out + err).count("Interrupted"), 1)
        self.assertIn("--resume goes on\n", err)

    def test_without_its_text_words_is_left_out(self):
        jargon = pathlib.Path("/usr/share/doc/jargon-text/jargon.txt.gz")
        if jargon.exists():
            self.skipTest("the text is installed")
        done = self.run_lab("--steps", "2", "--seeds", "1")
        self.assertEqual(done.returncode, 0)
        self.assertIn("apt install jargon-text", done.stderr)
        self.assertTrue(re.search("(?m)^digits", done.stdout))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
