# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The page of `adamant report`, in a headless Chromium; skipped where there is none.

    REPORT_RUNS=PROGRAM report_page_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv[1:]
RUNS = shlex.split(os.environ.get("REPORT_RUNS", ""))
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
PANELS = ["health", "overview", "m", "v", "bias", "eps", "movement", "forensics", "replay", "table"]


class Browser:
    """Chromium, told what to do through a pipe: messages of the DevTools protocol, each ended by a zero byte."""

    def __init__(self, profile):
        to_chromium, self.input = os.pipe()
        self.output, from_chromium = os.pipe()

        def place():  # Chromium reads from 3 and writes to 4
            os.dup2(to_chromium, 1003)
            os.dup2(from_chromium, 1004)
            os.dup2(1003, 3)
            os.dup2(1004, 4)

        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_chromium)
        os.close(from_chromium)
        self.buffer, self.count, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.buffer:
            got = os.read(self.output, 1 << 20)
            if not got:
                raise EOFError("Chromium has ended")
            self.buffer += got
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.input, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.02)

    def open(self, path, width=1200, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url="about:blank")
        self.events = []
        self.call("Page.navigate", url=pathlib.Path(path).as_uri())
        self.drawn()

    def drawn(self):
        self.wait("document.documentElement?.dataset.ready !== undefined")

    def redraw(self, change):
        """Something that makes the page draw itself again."""
        self.evaluate(f"delete document.documentElement.dataset.ready; {change}; 0")
        self.drawn()

    def complaints(self):
        """What the console said, and what the page asked of a network."""
        said = []
        for event in self.events:
            if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
                said.append(json.dumps(event["params"])[:400])
            if event.get("method") == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith(("file:", "data:")):
                    said.append(url)
        return said

    def close(self):
        os.close(self.input)
        self.process.terminate()
        self.process.wait()
        os.close(self.output)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "large").mkdir()
        subprocess.run([*RUNS, cls.folder, "600", "4"], check=True)
        # As many buckets as 10000 steps of 200 tensors have.
        subprocess.run([*RUNS, cls.folder / "large", "310", "99", "adamw"], check=True)
        cls.report("one", "adamw.jsonl")
        cls.report("all", "adamw.jsonl", "sgd.jsonl", "rmsprop.jsonl", "adagrad.jsonl")
        cls.report("mixed", "mixed.jsonl")  # vectors with SGD
        cls.report("small", "sgd.jsonl")  # rates of 0.0025 and the like
        cls.report("large", "large/adamw.jsonl")
        subprocess.run([*PROGRAM, "claims", "--only", "noise,bias-correction", "--out", "claims.html"], cwd=cls.folder,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.browser = Browser(cls.folder / "profile")

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.temporary.cleanup()

    @classmethod
    def report(cls, name, *logs):
        subprocess.run([*PROGRAM, "report", *logs, "--out", f"{name}.html"], cwd=cls.folder, check=True, stdout=subprocess.DEVNULL)

    def open(self, name, **settings):
        self.browser.open(self.folder / f"{name}.html", **settings)
        self.assertEqual(self.browser.complaints(), [])

    def see(self, expression):
        return self.browser.evaluate(expression)

    def test_every_panel_is_drawn(self):
        self.open("one")
        for panel in PANELS:
            self.assertGreater(len(self.see(f"document.querySelector('#{panel} .answer').textContent")), 30, panel)
        for panel in PANELS[1:-1]:
            marks = self.see(f"[...document.querySelectorAll('#{panel} svg.plot')].map(svg => "
                             "svg.querySelectorAll('path:not(.domain), image, circle').length)")
            self.assertGreater(len(marks), 0, panel)
            self.assertGreater(min(marks), 0, panel)
        self.assertEqual(self.see("document.querySelectorAll('#health .light').length"), 7)
        self.assertEqual(self.see("document.querySelectorAll('#tensor-table tbody tr').length"), 10)
        self.assertEqual(self.see("document.querySelectorAll('svg.plot path[d*=NaN], svg.plot [x1=NaN]').length"), 0)
        self.assertGreater(self.see("document.querySelectorAll('#glossary dt').length"), 15)

    def test_a_run_of_two_rules_has_the_lines_of_both(self):
        self.open("mixed")
        for panel in ("m", "v", "bias", "eps"):
            self.assertIn("6 of 10 tensors", self.see(f"document.querySelector('#{panel} .answer').textContent"), panel)
        self.assertEqual(self.see("document.querySelectorAll('svg.plot path[d*=NaN], svg.plot [x1=NaN]').length"), 0)
        said = self.see("document.querySelector('[data-chart=relative_step]').textContent")
        self.assertIn(", AdamW", said)
        self.assertIn(", SGD", said)
        lag = self.see("document.querySelector('[data-chart=lag]').textContent")
        self.assertNotIn("bias", lag)
        self.assertNotIn(", AdamW", lag, "there is one rule that has it")

    def test_the_spike_can_be_seen(self):
        self.open("one")
        self.assertIn("step 420", self.see("document.querySelector('#overview .answer').textContent"))
        self.assertEqual(self.see("document.querySelector('[data-chart=loss] .mark-sign title').textContent"), "spike at step 420")
        self.assertEqual(self.see("document.querySelector('#forensics .answer').dataset.verdict"), "bad_batch")

    def test_a_large_run_is_there_in_a_second(self):
        self.browser.call("Performance.enable")

        def busy():
            return {m["name"]: m["value"] for m in self.browser.call("Performance.getMetrics")["metrics"]}["ThreadTime"]

        times, work = [], []
        for _ in range(3):
            self.open("large")
            times.append(self.see("+document.documentElement.dataset.ready"))
            work.append(busy())
        size = (self.folder / "large.html").stat().st_size
        first = self.see("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"200 tensors: {size / 1e6:.2f} MB, all drawn {min(times)} ms after navigation started, "
              f"first seen after {first:.0f} ms; {1000 * min(work):.0f} ms of processor time")
        self.assertLess(min(work), 1.0, "seconds of processor time, since the machine may do other things too")

    def test_phone(self):
        for name in ("one", "all"):
            self.open(name, width=360)
            self.assertLessEqual(self.see("document.documentElement.scrollWidth"), 360)
            wide = self.see("[...document.querySelectorAll('svg.plot')].filter(svg => svg.getBoundingClientRect().right > 361).length")
            self.assertEqual(wide, 0)

    def test_no_label_is_cut_off(self):
        for name in ("one", "small", "all", "mixed", "claims"):
            for width in (1200, 360):
                self.open(name, width=width)
                cut = self.see("[...document.querySelectorAll('svg.plot')].flatMap(svg => { const box = svg.getBoundingClientRect(); "
                               "return [...svg.querySelectorAll('text')].filter(text => { const place = text.getBoundingClientRect(); "
                               "return place.left < box.left - 0.5 || place.right > box.right + 0.5; }).map(text => text.textContent); })")
                self.assertEqual(cut, [], f"{name}, {width} pixels wide")
                self.assertGreater(self.see("document.querySelectorAll('svg.plot .axis text').length"), 20)

    def test_claims(self):
        for width in (1200, 360):
            self.open("claims", width=width)
            self.assertEqual(self.see("document.querySelectorAll('.claim').length"), 2)
            self.assertEqual(self.see("[...document.querySelectorAll('.claim')].filter(claim => "
                                      "!claim.querySelector('svg.plot path.line, svg.plot circle')).length"), 0)
            self.assertEqual(self.see("document.querySelectorAll('section[data-panel], #toolbar').length"), 0)
            self.assertLessEqual(self.see("document.documentElement.scrollWidth"), width)

    def test_dark(self):
        colours = {}
        for scheme in ("light", "dark"):
            self.open("one", scheme=scheme)
            colours[scheme] = self.see("getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color")
        self.assertNotEqual(colours["light"], colours["dark"])

    def test_two_runs_side_by_side(self):
        self.open("all")
        self.assertEqual(self.see("document.querySelectorAll('#run-table tbody button').length"), 4)
        self.browser.redraw("const b = document.querySelector('#run-b'); b.value = 1; b.dispatchEvent(new Event('change'))")
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.see("document.querySelectorAll('[data-chart=loss] svg.plot').length"), 2)
        axes = self.see("[...document.querySelectorAll('[data-chart=loss] svg.plot')].map(svg => "
                        "[...svg.querySelectorAll('.axis text')].map(text => text.textContent).join())")
        self.assertEqual(axes[0], axes[1])
        self.assertEqual(self.see("[...document.querySelectorAll('#v .answer')].map(answer => answer.dataset.verdict)")[1], "absent")

    def test_keyboard_and_steps(self):
        self.open("one")
        chart = "document.querySelector('[data-chart=loss] svg.plot')"
        self.see(f"{chart}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'PageDown'}}))")
        self.assertIn("step 11", self.see(f"{chart}.parentNode.querySelector('.readout').textContent"))
        self.browser.redraw("const f = document.querySelector('#from'); f.value = 400; f.dispatchEvent(new Event('change'))")
        first = self.see(f"+{chart}.querySelector('.axis.x text').textContent")
        self.assertGreaterEqual(first, 400)
        name = self.see("document.querySelector('#tensor-table tbody button').textContent")
        self.browser.redraw("document.querySelector('#tensor-table tbody button').click()")
        self.assertEqual(self.see("document.querySelector('#tensor').value"), name)
        self.assertIn(name, self.see("document.querySelector('[data-chart=angle]').textContent"))
        self.see("[...document.querySelectorAll('#tensor-table thead button')][1].click()")
        sizes = self.see("[...document.querySelectorAll('#tensor-table tbody tr')].map(row => +row.querySelector('td').textContent)")
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    if not CHROMIUM:
        print("skipped: there is no chromium here")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
