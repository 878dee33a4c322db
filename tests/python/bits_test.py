# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Runs from Python have the bits that the C++ classes have: the hashes of `adamant selftest`."""

import re
import struct
import unittest

from support import ROOT, numpy, random_bits, random_numbers, to_bf16

import adamant

FORMS = {"adamw": ("adamw", {}), "adamw-amsgrad": ("adamw", {"amsgrad": True}), "adam": ("adam", {"weight_decay": 0.1}),
         "sgd": ("sgd", {"weight_decay": 0.1}), "sgd-momentum": ("sgd", {"momentum": 0.9, "dampening": 0.1}),
         "sgd-nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}), "rmsprop": ("rmsprop", {}),
         "rmsprop-centered-momentum": ("rmsprop", {"momentum": 0.9, "centered": True}),
         "adagrad": ("adagrad", {"lr_decay": 0.01})}
# Formats of parameters and gradients, settings.
FORMATS = {"f32": ("f32", "f32", {}), "bf16-bf16-f32": ("bf16", "bf16", {}),
           "bf16": ("bf16", "bf16", {"state": "bf16"}), "f16": ("f16", "f16", {"state": "f16"}),
           "f32-f16-bf16": ("f32", "f16", {"state": "bf16"}), "f64": ("f64", "f64", {"state": "f64"}),
           "split16-bf16-b16": ("bf16", "bf16", {"state": "b16", "weights": "split16"}),
           "split8-bf16-q8": ("bf16", "bf16", {"state": "q8", "weights": "split8"}),
           "dithered-f32-q8": ("bf16", "f32", {"state": "q8", "weights": "dithered"}),
           "f32-f16-q8": ("f32", "f16", {"state": "q8"})}
DTYPES = {"f32": numpy.float32, "f64": numpy.float64, "f16": numpy.float16}
SIZES = (7, 1289, 4219)


def numbers(format, counter, size):
    values = random_numbers(counter, size)
    return to_bf16(values) if format == "bf16" else values.astype(DTYPES[format])


class Hash:
    """FNV-1a, 64 bits."""

    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, data):
        value = self.value
        for byte in bytes(data):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        self.value = value


def hash_of(form, formats):
    rule, options = FORMS[form]
    param_format, grad_format, settings = FORMATS[formats]
    params = [numbers(param_format, size, size) for size in SIZES]
    optimizer = adamant.RULES[rule]({f"t{i}": param for i, param in enumerate(params)}, format="bf16", max_norm=8.0,
                                    **options, **settings)
    hashed = Hash()
    for step in range(50):
        counters = random_bits(numpy.arange(step * 3, step * 3 + 3, dtype=numpy.uint64))
        grads = [numbers(grad_format, counter, size) for counter, size in zip(counters, SIZES)]
        hashed.add(struct.pack("=d", optimizer.step(grads, grad_scale=0.75).grad_norm))
    for param in params:
        hashed.add(param.tobytes())
    for name in optimizer:
        state = optimizer.state[name]
        del state["step"]
        hashed.add(state.pop("low_bits", b""))
        for key in sorted(state):
            hashed.add(state[key].tobytes())
    return hashed.value


class SameBits(unittest.TestCase):
    def test_every_rule_and_format(self):
        text = (ROOT / "cli/selftest_golden.inc").read_text()
        golden = {name: int(value, 16) for name, value in re.findall(r'\{"([^"]+)", 0x([0-9a-f]+)u\}', text)}
        self.assertEqual(set(golden), {f"{form}/{formats}" for form in FORMS for formats in FORMATS})
        for form in FORMS:
            for formats in FORMATS:
                with self.subTest(form=form, formats=formats):
                    self.assertEqual(hash_of(form, formats), golden[f"{form}/{formats}"])
        self.assertEqual({rule for rule, _ in FORMS.values()}, set(adamant.RULES))


if __name__ == "__main__":
    unittest.main()
