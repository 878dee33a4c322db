# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""docs/torch.md runs, prints what it says, and names everything; the examples print what their sources say."""

import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from torch_support import VERSION, TestCase, adamant

ROOT = pathlib.Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


class Pages(TestCase):
    def test_the_page_prints_what_it_says(self):
        page = (ROOT / "docs/torch.md").read_text()
        if VERSION < (2, 1):  # where the page says so
            page = page.replace(page[page.index("## Gradient release"):page.index("## Statistics")], "")
        known, here = {"__name__": "docs"}, os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                for code, expected in BLOCK.findall(page):
                    printed = io.StringIO()
                    with contextlib.redirect_stdout(printed):
                        exec(compile(code, "docs/torch.md", "exec"), known)
                    self.assertEqual(printed.getvalue(), expected, code)
            finally:
                os.chdir(here)

    def test_everything_is_named(self):
        page = (ROOT / "docs/torch.md").read_text()
        names = [name for name in vars(adamant.torch) if not name.startswith("_")]
        names += [name for thing in (adamant.torch.Optimizer, adamant.torch.OffloadAdamW) for name, value in
                  vars(thing).items() if not name.startswith("_") and getattr(value, "__doc__", None)]
        of_torch = {"add_param_group"}
        self.assertEqual([name for name in names if name not in of_torch and not re.search(rf"\b{name}\b", page)], [])

    def test_examples(self):
        for example in sorted((ROOT / "examples/python").glob("torch_*.py")):
            if "offload" in example.name and VERSION < (2, 1):
                continue
            run = subprocess.run([sys.executable, ROOT / "tools/check_prints", example, sys.executable, example],
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
