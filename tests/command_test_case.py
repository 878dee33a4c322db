# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests of the commands on files share.

    CHECKPOINT_RUNS=PROGRAM cli_COMMAND_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import os
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np

PROGRAM = sys.argv[1:]
TYPES = {"F32": np.float32, "F64": np.float64, "BF16": np.uint16, "I64": np.int64}


def safetensors(tensors, metadata=None, types=None):
    """The bytes of a file of another program's, without checksums. Lists are f32."""
    header, data = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, values in tensors.items():
        values = values if isinstance(values, np.ndarray) else np.asarray(values, np.float32)
        kind = (types or {}).get(name) or {np.dtype(t): k for k, t in TYPES.items()}[values.dtype]
        raw = values.tobytes()
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class CommandTestCase(unittest.TestCase):
    """`runs` is a folder with checkpoints of the library's, `folder` one of the test's own, in which `command` runs."""

    command = ""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.runs = pathlib.Path(cls.temporary.name)
        subprocess.run([*shlex.split(os.environ.get("CHECKPOINT_RUNS", "")), cls.runs], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_command(self, *arguments):
        return subprocess.run([*PROGRAM, self.command, *map(str, arguments)], capture_output=True, text=True,
                              cwd=self.folder)

    def result(self, *arguments):
        """What the command says in JSON."""
        done = self.run_command(*arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)
