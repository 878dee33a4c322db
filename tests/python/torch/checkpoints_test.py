# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints of torch's optimizers, and torch.optim's state in them."""

import os
import tempfile
import unittest

from torch_support import TestCase, adamant, torch

import adamant.torch

RULES = [("AdamW", {"weight_decay": 0.1}), ("AdamW", {"amsgrad": True}), ("Adam", {"weight_decay": 0.1}),
         ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"lr": 0.1}), ("RMSprop", {"centered": True, "momentum": 0.5}),
         ("Adagrad", {"initial_accumulator_value": 0.1})]


def model(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))


def step(model, optimizer, number):
    torch.manual_seed(100 + number)
    optimizer.zero_grad()
    model(torch.randn(5, 6)).square().sum().backward()
    optimizer.step()


class Files(TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "run.safetensors")

    def tearDown(self):
        self.folder.cleanup()

    def assert_same(self, ours, theirs):
        for a, b in zip(ours.parameters(), theirs.parameters()):
            self.assertTrue(torch.equal(a, b))

    def test_every_rule_resumes(self):
        for name, options in RULES:
            for settings in ({}, {"state": "bf16"}):
                with self.subTest(rule=name, **options, **settings):
                    make = getattr(adamant.torch, name)
                    straight, first, second = model(), model(), model(9)
                    all_along = make(straight.parameters(), **options, **settings)
                    before = make(first.parameters(), **options, **settings)
                    for number in range(5):
                        step(straight, all_along, number)
                    for number in range(3):
                        step(first, before, number)
                    adamant.save(before, self.path, params=True, metadata={"epoch": "1"})
                    # With another rate, which the file's replaces, and before any step.
                    after = make(second.parameters(), **{**options, "lr": 0.5}, **settings)
                    info = adamant.load(after, self.path, params=True)
                    self.assertEqual((info.steps, info.metadata["epoch"]), (3, "1"))
                    self.assertEqual(after.param_groups[0]["lr"], before.param_groups[0]["lr"])
                    self.assert_same(second, first)
                    for number in range(3, 5):
                        step(second, after, number)
                    self.assert_same(second, straight)

    def test_codes_and_low_bits(self):
        def made(seed):
            torch.manual_seed(seed)
            layer = torch.nn.Linear(100, 100).bfloat16()
            return layer, adamant.torch.AdamW(layer.parameters(), preset="q8", seed=seed)

        def steps(layer, optimizer, numbers):
            for number in numbers:
                torch.manual_seed(number)
                layer(torch.randn(3, 100).bfloat16()).sum().backward()
                optimizer.step()
                optimizer.zero_grad()

        straight, first, second = made(1), made(1), made(2)
        steps(*straight, range(4))
        steps(*first, range(2))
        adamant.save(first[1], self.path, params=True)
        adamant.load(second[1], self.path, params=True)
        self.assertEqual(second[1].settings["seed"], 1)
        steps(*second, range(2, 4))
        self.assert_same(second[0], straight[0])
        plain = adamant.torch.AdamW(second[0].parameters())
        self.refused(adamant.MismatchError, 'load it with those', adamant.load, plain, self.path)

    def test_states_of_torch_become_a_checkpoint_and_come_back(self):
        for name, options in RULES:
            with self.subTest(rule=name, **options):
                theirs, ours, back = model(), model(), model()
                of_torch = getattr(torch.optim, name)(theirs.parameters(), **options)
                for number in range(3):
                    step(theirs, of_torch, number)
                through = getattr(adamant.torch, name)(theirs.parameters(), **options)
                through.load_state_dict(of_torch.state_dict())
                adamant.save(through, self.path, params=True)

                loaded = getattr(adamant.torch, name)(ours.parameters(), **options)
                adamant.load(loaded, self.path, params=True)
                returned = getattr(torch.optim, name)(back.parameters(), **options)
                returned.load_state_dict(loaded.state_dict())
                with torch.no_grad():
                    for a, b in zip(back.parameters(), ours.parameters()):
                        a.copy_(b)
                self.assert_same(back, theirs)
                for number in range(3, 6):
                    step(theirs, of_torch, number)
                    step(back, returned, number)
                self.assert_same(back, theirs)

    def test_of_a_run(self):
        net = model()
        rate = torch.tensor(1e-3)
        optimizer = adamant.torch.AdamW(net.parameters(), lr=rate)
        checkpoints = adamant.Checkpoints(self.folder.name, keep=1, params=True)
        step(net, optimizer, 0)
        checkpoints.save(optimizer, background=True)
        kept = [param.detach().clone() for param in net.parameters()]
        step(net, optimizer, 1)
        rate.fill_(0.5)
        checkpoints.load_newest(optimizer, params=True)
        self.assertIs(optimizer.param_groups[0]["lr"], rate)
        self.assertAlmostEqual(rate.item(), 1e-3)
        for param, expected in zip(net.parameters(), kept):
            self.assertTrue(torch.equal(param, expected))
            self.assertEqual(optimizer.state[param]["step"], 1)

    def test_refuses_another_order_of_elements(self):
        layer = torch.nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)
        optimizer = adamant.torch.AdamW(layer.parameters())
        self.refused(adamant.MismatchError, "in the order of the shape", adamant.save, optimizer, self.path)


if __name__ == "__main__":
    unittest.main()
