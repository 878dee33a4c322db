# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The type hints of both interfaces are those that mypy needs for typed.py, and those of this library and torch."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from torch_support import VERSION

try:
    import mypy  # noqa: F401
except ImportError:
    print("this Python has no mypy")
    sys.exit(77)

ROOT = pathlib.Path(__file__).parents[3]


class Types(unittest.TestCase):
    def test_a_program(self):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [sys.executable, "-m", "mypy", "--strict", "--allow-untyped-calls", "--follow-imports=silent",
                 f"--cache-dir={folder}", str(pathlib.Path(__file__).with_name("typed.py"))],
                env={**os.environ, "MYPYPATH": str(ROOT / "python")}, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout.strip()), (0, "Success: no issues found in 1 source file"))


if __name__ == "__main__":
    unittest.main()
