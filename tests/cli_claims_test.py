# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant claims`.

    cli_claims_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import math
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

PROGRAM = sys.argv[1:]
IDS = ["noise", "inertia", "oscillation", "mean-square", "rescaling", "badly-scaled", "sparse", "bias-correction", "epsilon",
       "decoupled", "generalise", "generalise-better", "separable", "family", "transformers", "signs"]
QUICK = ["rescaling", "bias-correction", "family"]
VERDICTS = {"holds", "holds if", "not shown", "does not hold"}


class Claims(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_claims(self, *arguments):
        return subprocess.run([*PROGRAM, "claims", *arguments], capture_output=True, text=True, cwd=self.folder)

    def claims_of(self, *arguments):
        done = self.run_claims("--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["claims"]

    def assert_refused(self, message, *arguments, code=2):
        done = self.run_claims(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertEqual(done.stderr, f"adamant claims: {message}\n")


class Answers(Claims):
    def test_help_names_everything(self):
        done = self.run_claims("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ["--only", "--seeds", "--threads", "--text", "--out", "--pictures", "--figures", "--json", ",".join(IDS),
                     "exit status"]:
            self.assertIn(word, done.stdout)

    def test_json(self):
        claims = self.claims_of("--only", ",".join(QUICK))
        self.assertEqual([claim["id"] for claim in claims], QUICK)
        for claim in claims:
            self.assertIn(claim["verdict"], VERDICTS)
            self.assertEqual(claim["verdict"] == "holds if", claim["condition"] is not None)
            for key in ("statement", "formula", "words"):
                self.assertTrue(claim[key], key)
            for key in ("theory", "measured", "tolerance"):
                self.assertIsInstance(claim[key], (int, float), key)
                self.assertEqual(claim[key], claim["figures"][0][key])
            for figure in claim["figures"]:
                self.assertLessEqual({"id", "what", "theory", "measured", "tolerance", "check", "standard_error", "beyond"},
                                     set(figure))
            for plot in claim["plots"]:
                for series in plot["series"]:
                    self.assertEqual(len(series["x"]), len(series["y"]))
                    self.assertGreater(len(series["x"]), 0)
        correction = {figure["id"]: figure["measured"] for figure in claims[1]["figures"]}
        for step, ratio in (("1", 0.1 / math.sqrt(0.001)), ("12", 6.5685), ("0.95.1", 0.1 / math.sqrt(0.05))):
            self.assertAlmostEqual(correction[step], ratio, places=3)

    def test_the_order_is_that_of_the_list(self):
        self.assertEqual([claim["id"] for claim in self.claims_of("--only", "family,rescaling")], ["rescaling", "family"])

    def test_the_same_numbers_again_and_on_any_threads(self):
        only = ["--only", "oscillation,epsilon"]
        first = self.claims_of(*only)
        self.assertEqual(self.claims_of(*only, "--threads", "1"), first)

    def test_the_table(self):
        done = self.run_claims("--only", "bias-correction,rescaling")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^claim +theory +measured +verdict$")
        self.assertRegex(done.stdout, r"(?m)^bias-correction +3\.162 ±0\.0032 +3\.162 +holds if β2 ")
        self.assertNotIn("6.569", done.stdout)
        self.assertIn("rescaling 1/2: holds if the gradient is far above ε", done.stderr)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        figures = self.run_claims("--only", "bias-correction", "--figures").stdout
        self.assertRegex(figures, r"(?m)^    12 +6\.569 ±0\.0066 +6\.569 +yes +step 12")
        self.assertRegex(figures, r"(?m)^    0\.95\.1 +≥ 1 +0\.4472 +no longer ")


class Files(Claims):
    def test_a_page(self):
        self.assertEqual(self.run_claims("--only", "rescaling", "--out", "page.html").returncode, 0)
        page = (self.folder / "page.html").read_text()
        for word in ("<html", "does not depend on the scale", "far above ε"):
            self.assertIn(word, page)

    def test_pictures(self):
        for _ in range(2):  # a second run replaces them
            self.assertEqual(self.run_claims("--only", "oscillation,family", "--pictures", "a/b").returncode, 0)
        pictures = sorted((self.folder / "a/b").iterdir())
        self.assertEqual([p.name for p in pictures], ["family-1.svg", "oscillation-1.svg", "oscillation-2.svg"])
        for picture in pictures:
            root = xml.etree.ElementTree.parse(picture).getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
            self.assertGreater(len(texts), 8)
            self.assertNotIn("-0", texts)
            self.assertNotIn("nan", picture.read_text())

    def test_places_that_cannot_be_written(self):
        self.assert_refused("--out: 'absent/page.html' cannot be written: No such file or directory",
                            "--only", "rescaling", "--out", "absent/page.html", code=1)
        (self.folder / "file").write_text("kept")
        self.assert_refused("--pictures: 'file' cannot be made: Not a directory", "--pictures", "file", code=1)
        self.assertEqual((self.folder / "file").read_text(), "kept")


class Refusals(Claims):
    def test_names_and_numbers(self):
        self.assert_refused(f"--only: 'noises' is not known: must be one of {', '.join(IDS)}", "--only", "noises")
        self.assert_refused("--only: 'noise' is given twice", "--only", "noise,noise")
        self.assert_refused("--seeds: '1' must be from 2 to 1000", "--seeds", "1")
        self.assert_refused("--threads: '-1' must be from 0 to 1024", "--threads=-1")
        self.assertEqual(self.run_claims("--bogus").returncode, 2)

    def test_a_text_that_is_not_there(self):
        done = self.run_claims("--only", "sparse", "--text", "absent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'absent'", done.stderr)
        self.assertEqual(done.stdout, "")


class Ends(Claims):
    def test_an_interrupt_keeps_what_was_done(self):
        command = [*PROGRAM, "claims", "--only", "rescaling,generalise", "--json", "--out", "page.html"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.assertIn("rescaling 1/2", process.stderr.readline())
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        report = json.loads(out)
        self.assertIs(report["interrupted"], True)
        self.assertEqual([claim["id"] for claim in report["claims"]], ["rescaling"])
        self.assertTrue((self.folder / "page.html").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
