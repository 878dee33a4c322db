# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""bench/speed.py on a few short cases, and its tables from a record whose figures are known.

    cli_speed_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True
import records
from speed import tables
from speed.cases import CASES, EXTRAS, PLACES

PROGRAM = sys.argv[1:]
F32, Q8, CHECKS, MANY, CACHE = (next(case for case in CASES if (case.place, case.name) == wanted) for wanted in (
    ("memory", "f32/f32/f32"), ("memory", "bf16+split8/bf16/q8"), ("memory", "f32/f32/f32, checks"),
    ("many", "f32/f32/f32"), ("cache", "f32/f32/f32")))


def run(*arguments):
    return subprocess.run([sys.executable, ROOT / "bench/speed.py", *arguments], capture_output=True, text=True)


class Measuring(unittest.TestCase):
    def test_a_record(self):
        known = json.loads(subprocess.run([*PROGRAM, "targets", "--json"], capture_output=True).stdout)["targets"]
        with tempfile.TemporaryDirectory() as folder:
            done = run("--runs", "2", "--seconds", "0.001", "--size", "5000", "--program", shlex.join(PROGRAM), "--out",
                       folder, "--cases", r"^(memory|cache) (f32/f32/f32|bf16\+split8/bf16/q8)")
            self.assertEqual(done.returncode, 0, done.stderr)
            (file,) = pathlib.Path(folder).iterdir()
            record = json.loads(file.read_text())
        self.assertRegex(file.name, rf"^[a-z0-9-]+-{record['machine']['processors']}c-[a-z0-9]+\.json$")
        self.assertEqual(record["machine"]["instruction set"], known[0])
        self.assertIn("--size 5000", record["command"])
        wanted = [(case.place, case.name, target, turn) for turn in (1, 2) for case in CASES
                  if case.place != "many" and (case.param, case.state, case.weights) in {
                      ("f32", "f32", "plain"), ("bf16", "q8", "split8")} for target in case.targets(known)]
        self.assertEqual([(each["place"], each["case"], each["target"], each["run"]) for each in record["runs"]], wanted)
        for each in record["runs"]:
            case = next(case for case in CASES if (case.place, case.name) == (each["place"], each["case"]))
            self.assertEqual(each["params"], 5000 if case.place == "memory" else 16384)
            self.assertGreater(min(each["ceiling_ratio"], tables.time_of(each, case),
                                   tables.f32_of(record, each, case)), 0)
            if case.extra or case.weights != "plain":
                self.assertIn(EXTRAS[case.extra].base, each)

    def test_refusals(self):
        done = run("--program", "no/such/program")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "there is no no/such/program: `make build` makes it\n")
        for arguments, text in ((("--cases", "cache"), "--cases needs --out: a file of bench/results/steps has all cases"),
                                (("--runs", "0"), "--runs 0 must be at least 1")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (2, f"speed.py: error: {text}"))
        with tempfile.TemporaryDirectory() as folder:
            done = run("--program", shlex.join(PROGRAM), "--seconds", "-1", "--cases", "cache", "--out", folder)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.endswith("adamant bench: --seconds: '-1' must be greater than 0\n"), done.stderr)


def figures(case, turn, target, ns, ceiling, **others):
    return {"place": case.place, "case": case.name, "target": target, "run": turn, "params": 1 << 14,
            "bytes_per_param": 28, "ns_per_param": ns, "ceiling_ratio": ceiling,
            **{f"{key}_ns_per_param": value for key, value in others.items()}}


def record_of(runs):
    return {"machine": {"cpu": "Intel(R) Core(TM) i9 CPU @ 3 GHz", "processors": 8, "caches": "L2 1 MiB",
                        "memory": 1 << 34, "instruction set": "AVX3"},
            "date": "2026-01-02", "commit": "abc", "command": "bench/speed.py", "compiler": "g++ 12",
            "load before": [0.5, 1, 1], "load after": [1.25, 1, 1], "runs": runs}


class Tables(unittest.TestCase):
    RUNS = [each for turn, slow in ((1, 1), (2, 10), (3, 1)) for each in (
        figures(F32, turn, "AVX3", 0.5 * slow, 0.9 + turn / 100, naive=1.5 * slow, unfused=6 * slow, plain=1),
        figures(CHECKS, turn, "AVX3", 0.75, 1.0, bare=0.25),
        figures(Q8, turn, "AVX3", 0.4, 0.5, f32=0.8 * turn),
        figures(MANY, turn, "AVX3", 0.3, 0.9, one_tensor=0.2, naive=0.6, unfused=0.6, plain=1),
        figures(CACHE, turn, "AVX3", 0.2, 0.9, plain=0.1, naive=1, unfused=1),
        figures(CACHE, turn, "AVX2", 0.4, 0.9, plain=0.1, naive=1, unfused=1),
        figures(CASES[CASES.index(CACHE) + 1], turn, "AVX2", 0.6, 0.9))]

    def lines(self, language="en", short=True):
        return tables.text([record_of(self.RUNS)], language, short).splitlines()

    def test_ratios_are_of_the_same_run_and_medians(self):
        lines = self.lines()
        for line in (
            "| f32, f32, f32 | 28 | 0.50 | 92 % (91–93) | 1.00 | 3.00 | 12 |",
            "| f32, f32, f32, with clipping, unscaling, NaN check | 28 | 0.75 | 100 % | 3.00 | – | – |",
            "| bf16 + split8, bf16, q8 | 28 | 0.40 | 50 % | 0.25 | – | – |",
            "| f32, f32, f32; 1000 tensors of 4096 | 28 | 0.30 | 90 % | 1.00 | 2.00 | 2.00 |",
            "In f32, 1000 tensors take 1.50 times as long as one tensor of the same total size.",
            "| parameters, gradients, states | AVX3 | AVX2 |",
            "| f32, f32, f32 | 0.20 (1.00) | 0.40 (1.00) |",
            "| bf16, bf16, f32 | – | 0.60 (1.50) |",
            "| fused f32 loop, unrolled by hand | 0.10 (0.50) | – |",
        ):
            self.assertIn(line, lines)
        self.assertIn("Measured on 2026-01-02 at commit abc, compiled by g++ 12, with `bench/speed.py`. The load average "
                      "of the machine was 0.50 before and 1.25 after.", lines[0])

    def test_both_languages_have_the_same_rows(self):
        english, chinese = self.lines(), self.lines("zh")
        self.assertEqual(len(english), len(chinese))
        for one, other in zip(english, chinese):
            if one.startswith("|"):
                self.assertEqual(re.findall(r"\d+", one), re.findall(r"\d+", other))

    def test_languages_have_the_same_words(self):
        english, chinese = tables.WORDS.values()
        self.assertEqual(english.keys(), chinese.keys())
        self.assertEqual(english["besides"].keys(), chinese["besides"].keys())
        self.assertEqual(len(english["head"]), len(chinese["head"]))

    def test_without_records(self):
        self.assertEqual(tables.text([], "en", True), "No machine has been measured yet.\n")

    def test_names_of_files(self):
        self.assertEqual(records.file_name(record_of([])["machine"]), "intel-core-i9-8c-avx512.json")

    def test_cases(self):
        self.assertEqual(len({(case.place, case.name) for case in CASES}), len(CASES))
        self.assertLessEqual({case.place for case in CASES}, set(PLACES))
        self.assertEqual(CACHE.targets(["AVX3", "AVX2", "SCALAR"]), ["AVX3", "AVX2"])
        self.assertEqual((F32.targets(["AVX3", "AVX2"]), CACHE.targets(["SCALAR"])), (["AVX3"], ["SCALAR"]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
