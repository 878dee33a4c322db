# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The Python in documents runs and prints what follows it; the examples print what their sources say; docs/python.md
names everything that the package has."""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest

from support import ROOT

import adamant

BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


class Documents(unittest.TestCase):
    def run_page(self, name):
        """Runs the blocks of a page one after the other, as one program."""
        blocks = BLOCK.findall((ROOT / name).read_text())
        self.assertGreater(len(blocks), 0)
        known = {"__name__": "docs"}
        for code, expected in blocks:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, name, "exec"), known)
            self.assertEqual(printed.getvalue(), expected, code)

    def test_pages(self):
        here = os.getcwd()
        for name in ("docs/python.md", "README.md", "README.zh.md"):
            with self.subTest(page=name), tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                try:
                    self.run_page(name)
                finally:
                    os.chdir(here)

    def test_everything_is_named(self):
        page = (ROOT / "docs/python.md").read_text()
        names = [name for name in vars(adamant) if not name.startswith("_")
                 and getattr(vars(adamant)[name], "__module__", "").startswith("adamant.")]
        names += [name for name in vars(adamant.Optimizer) if not name.startswith("_")]
        names += [name for name in vars(adamant.schedule)["__all__"]]
        missing = [name for name in names if not re.search(rf"\b{name}\b", page)]
        self.assertEqual(missing, [])


class Examples(unittest.TestCase):
    def test_print_what_they_say(self):
        examples = sorted((ROOT / "examples/python").glob("numpy_*.py"))
        self.assertGreater(len(examples), 0)
        for example in examples:
            run = subprocess.run([sys.executable, ROOT / "tools/check_prints", example, sys.executable, example],
                                 capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
