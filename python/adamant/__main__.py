# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""python -m adamant: the program `adamant`, with the same arguments and exit status."""

import os
import pathlib
import subprocess
import sys


def main():
    """Runs the program of $ADAMANT_PROGRAM, else the one that lies beside this file."""
    name = "adamant.exe" if sys.platform == "win32" else "adamant"
    program = os.environ.get("ADAMANT_PROGRAM") or str(pathlib.Path(__file__).with_name("bin") / name)
    if not os.path.exists(program):
        sys.exit(f"there is no program at {program}: install the package with pip, or set ADAMANT_PROGRAM to its path")
    if os.name == "posix":
        os.execv(program, [program, *sys.argv[1:]])
    sys.exit(subprocess.run([program, *sys.argv[1:]]).returncode)


if __name__ == "__main__":
    main()
