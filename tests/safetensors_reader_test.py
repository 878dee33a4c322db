#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What the library writes is read by a reader that shares nothing with it, and by the package safetensors; what that
writes is read by the library.

    safetensors_reader_test.py [--package] PROGRAM...
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

PACKAGE = "--package" in sys.argv
PROGRAM = [word for word in sys.argv[1:] if word != "--package"]
BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32,
        "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64}

if PACKAGE:
    try:
        import numpy
        import safetensors
        import safetensors.numpy
    except ImportError:
        print("this Python has no safetensors")
        sys.exit(77)


def program(*arguments):
    return json.loads(subprocess.run([*PROGRAM, *arguments], stdout=subprocess.PIPE, check=True).stdout)


def once(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def read(path):
    """Metadata and tensors of a file, by the description of the format, where that leaves no choice."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0 and length <= 100_000_000
    header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=once)
    assert data[8:9] == b"{"
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values())
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}
        begin, after = entry["data_offsets"]
        elements = 1
        for extent in entry["shape"]:
            elements *= extent
        assert begin == end and 8 * (after - begin) == elements * BITS[entry["dtype"]], (name, entry)
        end = after
        tensors[name] = {"dtype": entry["dtype"], "shape": entry["shape"],
                         "hex": data[8 + length + begin : 8 + length + after].hex()}
    assert 8 + length + end == len(data)
    return metadata, tensors


def read_by_package(path):
    data = path.read_bytes()
    return {name: {"dtype": tensor["dtype"], "shape": tensor["shape"], "hex": bytes(tensor["data"]).hex()}
            for name, tensor in safetensors.deserialize(data)}


class Files(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.written = program("write", str(self.folder))

    def files(self, name):
        found = sorted(self.folder.glob(f"{name}*.safetensors"))
        self.assertEqual(len(found) > 1, name == "several", found)
        return found

    @unittest.skipIf(PACKAGE, "that of the package")
    def test_are_read_by_another_reader(self):
        for name, expected in self.written.items():
            tensors = {}
            for path in self.files(name):
                metadata, its = read(path)
                tensors |= its
                self.assertEqual(len(metadata["adamant.header"]), 16)
                if name != "types" and path.name == f"{name}.safetensors":
                    self.assertEqual(metadata["note"], "\u20ac\n")
                    self.assertEqual(json.loads(metadata["adamant"], object_pairs_hook=once)["steps"], 3)
            self.assertEqual(tensors, expected)

    @unittest.skipUnless(PACKAGE, "that of this file")
    def test_are_read_by_the_package(self):
        for name, expected in self.written.items():
            tensors = {}
            for path in self.files(name):
                try:
                    tensors |= read_by_package(path)
                except safetensors.SafetensorError as error:
                    # Older packages do not know the newer types.
                    self.assertTrue(name == "types" and "unknown variant" in str(error), error)
                    tensors = expected
                with_metadata = read(path)[0]
                if name != "types":
                    with safetensors.safe_open(path, "np") as file:
                        self.assertEqual(file.metadata(), with_metadata)
            self.assertEqual(set(tensors), set(expected))
            for tensor, entry in expected.items():
                self.assertEqual(tensors[tensor] | {"dtype": ""}, entry | {"dtype": ""})
                self.assertIn(tensors[tensor]["dtype"].replace("_", "").lower(),
                              (entry["dtype"].replace("_", "").lower(), tensors[tensor]["dtype"].lower()))

    @unittest.skipUnless(PACKAGE, "that of this file")
    def test_of_the_package_are_read(self):
        arrays = {"w": numpy.arange(12, dtype=numpy.float32).reshape(3, 4), "n": numpy.arange(3, dtype=numpy.int64),
                  "empty": numpy.zeros((0, 5), numpy.float16), "one": numpy.array(2.5),
                  "flags": numpy.array([True, False, True])}
        path = self.folder / "theirs"
        safetensors.numpy.save_file(arrays, path, metadata={"format": "np", "\u00e9": "\U0001F600"})
        types = {"w": "F32", "n": "I64", "empty": "F16", "one": "F64", "flags": "BOOL"}
        self.assertEqual(program("read", str(path)), {
            "metadata": {"format": "np", "\u00e9": "\U0001F600"},
            "tensors": {name: {"dtype": types[name], "shape": list(array.shape), "hex": array.tobytes().hex()}
                        for name, array in arrays.items()}})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
