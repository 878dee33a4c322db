# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""python -m adamant is the program."""

import os
import subprocess
import sys
import unittest

import support  # noqa: F401  where there is no NumPy this test is skipped

PROGRAM = os.environ.get("ADAMANT_PROGRAM")


def run(*arguments, **environment):
    return subprocess.run([sys.executable, "-m", "adamant", *arguments], capture_output=True, text=True,
                          env=dict(os.environ, **environment))


class Program(unittest.TestCase):
    @unittest.skipUnless(PROGRAM, "this build has no program")
    def test_arguments_output_and_status(self):
        for arguments in (["targets"], ["--help"], ["no-such-command"], []):
            direct = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
            ours = run(*arguments)
            self.assertEqual((ours.returncode, ours.stdout, ours.stderr),
                             (direct.returncode, direct.stdout, direct.stderr))
        self.assertNotEqual(run("no-such-command").returncode, 0)

    def test_says_where_it_looked(self):
        ours = run("targets", ADAMANT_PROGRAM="/nowhere/adamant")
        self.assertEqual((ours.returncode, ours.stdout), (1, ""))
        self.assertIn("there is no program at /nowhere/adamant", ours.stderr)


if __name__ == "__main__":
    unittest.main()
