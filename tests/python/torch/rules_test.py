# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Every rule in every form: as torch.optim has it, with the bits of the NumPy interface, and through state dicts."""

import inspect
import pathlib
import subprocess
import sys
import tempfile
import unittest

from torch_support import FORMS, VERSION, TestCase, adamant, bits, copies, digest, give_grads, parameters, torch, train

import adamant.torch


def ours(name):
    return getattr(adamant.torch, name)


def theirs(name):
    return getattr(torch.optim, name)


ROOT = pathlib.Path(__file__).parents[3]


class Rules(TestCase):
    def each(self):
        for name, options in FORMS:
            with self.subTest(rule=name, **{key: str(value) for key, value in options.items()}):
                yield name, options

    @unittest.skipIf(VERSION != (2, 13), "the arguments in the type hints are those of torch 2.13")
    def test_stubs_are_up_to_date(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, ROOT / "tools/make_python_stubs", folder], check=True)
            stubs = "torch/__init__.pyi"
            self.assertEqual(pathlib.Path(folder, stubs).read_text(), (ROOT / "python/adamant" / stubs).read_text(),
                             "run tools/make_python_stubs")

    def test_fifty_steps_are_those_of_torch(self):
        for name, options in self.each():
            a = parameters()
            b = copies(a)
            train(theirs(name)(a, **options), a, 50)
            train(ours(name)(b, **options), b, 50)
            self.assert_near(b, a)

    def test_states_are_under_torch_keys(self):
        for name, options in self.each():
            a = parameters()
            b = copies(a)
            one, other = theirs(name)(a, **options), ours(name)(b, **options)
            train(one, a, 3)
            train(other, b, 3)
            for x, y in zip(a, b):
                expected = {key: value for key, value in one.state[x].items() if value is not None}
                self.assertEqual(set(other.state[y]), set(expected))
                for key, value in expected.items():
                    self.assert_near([other.state[y][key]], [torch.as_tensor(value)])
                if "step" in expected:
                    self.assertEqual(other.state[y]["step"].dtype, torch.float32)
                    self.assertEqual(other.state[y]["step"].device.type, "cpu")

    def test_bits_are_those_of_the_numpy_interface(self):
        for name, options in self.each():
            a = parameters()
            b = [param.detach().numpy().copy() for param in a]
            rule = "AdamW" if options.get("decoupled_weight_decay") else name
            options = {key: value for key, value in options.items() if key != "decoupled_weight_decay"}
            one, other = ours(rule)(a, **options), getattr(adamant, rule)(b, **options)
            for step in range(5):
                give_grads(step, a)
                other.step([param.grad.numpy() for param in a])
                one.step()
            self.assertEqual(bits(a), [digest(y.tobytes()) for y in b])

    def test_state_dict_goes_to_adamant_and_back(self):
        for name, options in self.each():
            a = parameters()
            b = copies(a)
            one = theirs(name)(a, **options)
            train(one, a, 30)
            first = theirs(name)(b, **options)
            train(first, b, 10)
            second = ours(name)(b, **options)
            second.load_state_dict(first.state_dict())
            train(second, b, 10, first=10)
            third = theirs(name)(b, **options)
            third.load_state_dict(second.state_dict())
            train(third, b, 10, first=20)
            self.assert_near(b, a)

    def test_arguments_and_defaults_are_those_of_torch(self):
        for name in {name for name, _ in FORMS}:
            known = inspect.signature(theirs(name)).parameters
            has = inspect.signature(ours(name)).parameters
            self.assertEqual([has[key].default for key in known], [known[key].default for key in known])
            lr = {} if name != "SGD" else {"lr": 0.1}
            self.assertEqual(ours(name)(parameters(), **lr).defaults, theirs(name)(parameters(), **lr).defaults)

    def test_refusals_are_those_of_torch(self):
        for name, options in [("AdamW", {"lr": -1.0}), ("AdamW", {"betas": (1.0, 0.9)}), ("Adam", {"eps": -1.0}),
                              ("Adam", {"weight_decay": -0.1}), ("SGD", {"lr": 0.1, "momentum": -1.0}),
                              ("SGD", {"lr": 0.1, "nesterov": True}), ("RMSprop", {"alpha": -1.0}),
                              ("Adagrad", {"lr_decay": -1.0}), ("AdamW", {"unknown": 1})]:
            with self.assertRaises(Exception) as expected:
                theirs(name)(parameters(), **options)
            with self.assertRaises(type(expected.exception)) as found:
                ours(name)(parameters(), **options)
            self.assertEqual(str(found.exception), str(expected.exception))
        for params, error in [([], ValueError), (torch.ones(3), TypeError), ([1.0], TypeError),
                              ([torch.ones(3, requires_grad=True) * 2], ValueError)]:
            self.refused(error, "optimi|params", adamant.torch.AdamW, params)

    def test_an_argument_of_a_newer_torch_is_refused(self):
        class Newer(torch.optim.SGD):
            def __init__(self, params, lr=0.1, sign=False):
                super().__init__(params, lr)

        made = type("SGD", (adamant.torch.Optimizer, Newer), {"rule": "sgd", "torch_class": Newer})
        made(parameters(), sign=False)
        self.refused(ValueError, "sign=True: this version", made, parameters(), sign=True)


class Formats(TestCase):
    def test_bf16_parameters_keep_f32_states_by_default(self):
        a = parameters(dtype=torch.bfloat16)
        train(adamant.torch.AdamW(a), a, 3)
        optimizer = adamant.torch.AdamW(a)
        train(optimizer, a, 2)
        self.assertEqual(optimizer.state[a[0]]["exp_avg"].dtype, torch.float32)

    def test_presets_and_dither_have_the_bits_of_the_numpy_interface(self):
        for settings in [{"preset": "b16"}, {"preset": "q8"}, {"preset": "q8-lite"}, {"state": "bf16"},
                         {"weights": "dithered", "seed": 5}, {"weights": "split8", "state": "q8"}]:
            for name in ("AdamW", "SGD"):
                options = {"lr": 0.01, **({"momentum": 0.9} if name == "SGD" else {}), **settings}
                with self.subTest(rule=name, **{key: str(value) for key, value in settings.items()}):
                    a = parameters(dtype=torch.bfloat16)
                    b = [param.detach().view(torch.int16).numpy().view("uint16").copy() for param in a]
                    one = getattr(adamant.torch, name)(a, **options)
                    other = getattr(adamant, name)(b, format="bf16", **options)
                    for step in range(6):
                        give_grads(step, a)
                        other.step([param.grad.view(torch.int16).numpy().view("uint16") for param in a])
                        one.step()
                    self.assertEqual(bits(a), [digest(y.tobytes()) for y in b])

    def test_compact_states_are_in_a_dict_of_their_own(self):
        a = parameters(dtype=torch.bfloat16)
        optimizer = adamant.torch.AdamW(a, preset="q8")
        train(optimizer, a, 2)
        held = optimizer.state[a[3]]  # the others are too small
        self.assertEqual(set(held), {"step", "adamant"})
        self.assertEqual(held["adamant"]["state_format"], "q8")
        self.assertEqual(held["adamant"]["exp_avg"].dtype, torch.uint8)

    def test_formats_are_converted(self):
        a = parameters()
        b = copies(a)
        one, other = adamant.torch.AdamW(a), adamant.torch.AdamW(b, state="q8")
        train(one, a, 5)
        one.set_formats(state="q8")
        self.assertIn("adamant", one.state[a[3]])
        other.load_state_dict(one.state_dict())
        self.assertEqual(bits([other.state[b[3]]["adamant"]["exp_avg"]]), bits([one.state[a[3]]["adamant"]["exp_avg"]]))
        with torch.no_grad():
            for x, y in zip(a, b):
                y.copy_(x)
        train(one, a, 5, first=5)
        train(other, b, 5, first=5)
        self.assertEqual(bits(a), bits(b))


if __name__ == "__main__":
    unittest.main()
