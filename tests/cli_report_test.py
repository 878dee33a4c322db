# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant report`.

    REPORT_RUNS=PROGRAM cli_report_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import base64
import html.parser
import json
import os
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv[1:]
RUNS = shlex.split(os.environ.get("REPORT_RUNS", ""))


class Reader(html.parser.HTMLParser):
    """Takes the payload out of a page, and notes what it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.payload, self.fetched, self.inside = "", [], False
        self.feed(text)
        self.data = json.loads(self.payload)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.inside = tag == "script" and given.get("id") == "data"
        if tag in ("link", "img", "iframe", "object", "embed") or "src" in given:
            self.fetched.append((tag, given))
        self.fetched += [given[key] for key in ("href", "action") if re.match(r"\w+:", given.get(key) or "")]

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.payload += text


def floats(text):
    raw = base64.b64decode(text)
    return struct.unpack(f"<{len(raw) // 4}f", raw)


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "runs").mkdir()
        subprocess.run([*RUNS, cls.folder / "runs", "300", "2"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def report(self, *arguments):
        return subprocess.run([*PROGRAM, "report", *arguments], capture_output=True, text=True, cwd=self.folder)

    def page(self, *arguments):
        done = self.report(*arguments, "--out", "page.html")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "page.html\n", ""))
        return Reader((self.folder / "page.html").read_text("utf-8"))

    def test_help(self):
        done = self.report("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("RUN", "--out", "--title", "--json"):
            self.assertIn(word, done.stdout)

    def test_wrong_usage(self):
        self.assertEqual(self.report().returncode, 2)
        self.assertEqual(self.report("--nothing").returncode, 2)

    def test_what_cannot_be_read_or_written(self):
        (self.folder / "empty").mkdir(exist_ok=True)
        done = self.report("empty")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "adamant report: RUN: 'empty' is a folder without *.jsonl\n")
        done = self.report("nowhere.jsonl")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nowhere.jsonl", done.stderr)
        (self.folder / "other.jsonl").write_text("{}\n")
        done = self.report("other.jsonl")
        self.assertEqual(done.returncode, 1)
        self.assertIn("other.jsonl", done.stderr)
        done = self.report("runs/adamw.jsonl", "--out", "no/such/folder/page.html")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "adamant report: --out: 'no/such/folder/page.html' cannot be written: "
                                      "No such file or directory\n")
        done = self.report("runs/adamw.jsonl", "--out", "runs")
        self.assertEqual((done.returncode, done.stderr), (1, "adamant report: --out: 'runs' is a folder\n"))

    def test_a_page_in_place_of_a_run(self):
        log = sorted((self.folder / "runs").glob("*.jsonl"))[0]
        before = log.read_bytes()
        for path in (log, f"runs/../runs/{log.name}"):
            done = self.report("runs", "--out", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"adamant report: --out: '{path}' is one of the runs: it would be lost\n")
        self.assertEqual(log.read_bytes(), before)

    def test_links_and_permissions_stay(self):
        log = sorted((self.folder / "runs").glob("*.jsonl"))[0]
        page, link = self.folder / "linked.html", self.folder / "link.html"
        page.write_text("old")
        page.chmod(0o600)
        link.symlink_to("linked.html")
        for out in (link, page):
            self.assertEqual(self.report(log, "--out", out).returncode, 0)
            self.assertTrue(page.read_text().lower().startswith("<!doctype html>"))
            self.assertTrue(link.is_symlink())
            self.assertEqual(page.stat().st_mode & 0o777, 0o600)
            page.write_text("old")

    def test_a_pipe(self):
        log = sorted((self.folder / "runs").glob("*.jsonl"))[0]
        done = subprocess.run([*PROGRAM, "report", "/dev/stdin", "--out", "piped.html"], cwd=self.folder, text=True,
                              input=log.read_text(), capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for page, known in (("piped.html", False), ("page.html", True)):
            self.report(log, "--out", "page.html")
            run, = Reader((self.folder / page).read_text("utf-8")).data["runs"]
            self.assertEqual(any(name == "cost of the log" for name, _ in run["settings"]), known)

    def test_json(self):
        done = self.report("runs/adamw.jsonl", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["report"], "report.html")
        self.assertEqual(told["bytes"], (self.folder / "report.html").stat().st_size)

    def test_the_page_fetches_nothing(self):
        self.assertEqual(self.page("runs/adamw.jsonl").fetched, [])

    def test_the_payload(self):
        data = self.page("runs/adamw.jsonl", "--title", "A </script> title").data
        self.assertEqual(data["title"], "A </script> title")
        run, = data["runs"]
        self.assertEqual((run["rule"], run["logged"], run["workload"]), ("AdamW", 300, "bowls <&>"))
        self.assertEqual(list(run["panels"]),
                         ["health", "overview", "m", "v", "bias", "eps", "movement", "forensics", "replay", "table"])
        loss = run["panels"]["overview"]["charts"]["loss"]["lines"][0]
        steps, losses = floats(run["overview_grid"]), floats(loss["low"])
        self.assertEqual(list(steps), list(range(1, 301)))
        logged = [json.loads(line) for line in (self.folder / "runs/adamw.jsonl").read_text().splitlines()]
        logged = [line["loss"] for line in logged if line["event"] == "step"]
        for shown, true in zip(losses, logged, strict=True):
            self.assertAlmostEqual(shown, true, delta=1e-6 * true)
        self.assertEqual(len(run["panels"]["table"]["rows"]), 6)
        self.assertEqual(len(data["statistics"]), len(run["panels"]["table"]["rows"][0]["values"]))

    def test_a_folder_stands_for_its_logs(self):
        data = self.page("runs").data
        self.assertEqual([run["name"] for run in data["runs"]], ["adagrad", "adamw", "mixed", "rmsprop", "sgd"])

    def test_many_runs_fit(self):
        self.assertEqual(len(self.page(*["runs/adamw.jsonl"] * 60).data["runs"]), 60)
        self.assertLess((self.folder / "page.html").stat().st_size, 5_000_000)

    def test_a_run_that_goes_on_or_was_killed(self):
        whole = (self.folder / "runs/adamw.jsonl").read_bytes()
        (self.folder / "torn.jsonl").write_bytes(whole[:len(whole) // 2])
        run, = self.page("torn.jsonl").data["runs"]
        self.assertGreater(run["logged"], 100)
        self.assertLess(run["logged"], 200)
        (self.folder / "young.jsonl").write_bytes(whole[:whole.index(b"\n") + 1])
        run, = self.page("young.jsonl").data["runs"]
        self.assertEqual(run["logged"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
