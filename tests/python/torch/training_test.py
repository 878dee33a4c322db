# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Whole trainings: a small transformer, gradient release, the optimizer beside an accelerator, logs of a run."""

import gc
import os
import pathlib
import tempfile
import unittest

from torch_support import VERSION, TestCase, adamant, bits, copies, parameters, torch, train

from adamant.torch import AdamW, OffloadAdamW

HAS_RELEASE = VERSION >= (2, 1)


class Transformer(torch.nn.Module):
    def __init__(self, words=11, width=16, length=12):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, width)
        self.place = torch.nn.Parameter(0.1 * torch.randn(length, width))
        self.query, self.key, self.value = (torch.nn.Linear(width, width) for _ in range(3))
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in range(2))
        self.inner = torch.nn.Sequential(torch.nn.Linear(width, 32), torch.nn.GELU(), torch.nn.Linear(32, width))
        self.out = torch.nn.Linear(width, words)
        self.mask = torch.full((length, length), -1e9).triu(1)

    def forward(self, words):
        x = self.embedding(words) + self.place
        y = self.norms[0](x)
        scores = self.query(y) @ self.key(y).transpose(-1, -2) / 4 + self.mask
        x = x + scores.softmax(-1) @ self.value(y)
        return self.out(x + self.inner(self.norms[1](x)))


def losses(make, steps=500):
    """The losses of a transformer that learns to continue sequences."""
    torch.manual_seed(0)
    model = Transformer()
    optimizer = make(model.parameters())
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(steps):
        start, stride = (torch.randint(1, 4, (8, 1), generator=generator) for _ in range(2))
        words = (start + stride * torch.arange(13)) % 11
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(words[:, :-1]).flatten(0, 1), words[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


class Training(TestCase):
    def test_losses_of_a_transformer_are_those_of_torch(self):
        theirs = losses(lambda params: torch.optim.AdamW(params, lr=1e-3))
        ours = losses(lambda params: AdamW(params, lr=1e-3))
        self.assertLess(theirs[-1], 0.8 * theirs[0])
        self.assertLess(max(abs(a - b) / b for a, b in zip(ours, theirs)), 1e-4)


def model_of(seed, dtype=torch.float32):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(40, 120), torch.nn.Tanh(), torch.nn.Linear(120, 120), torch.nn.Tanh(),
                               torch.nn.Linear(120, 3)).to(dtype)


def backward(model, step):
    generator = torch.Generator().manual_seed(step)
    weight = next(model.parameters())
    inputs = torch.randn(5, 40, generator=generator).to(weight.device, weight.dtype)
    model(inputs).square().mean().backward()


@unittest.skipUnless(HAS_RELEASE, "gradients are released since torch 2.1")
class Release(TestCase):
    def test_has_the_bits_of_whole_steps_and_frees_gradients(self):
        one, other = model_of(0), model_of(0)
        first, second = AdamW(one.parameters()), AdamW(other.parameters(), report_norm=True)
        handle = second.release_gradients()
        for step in range(5):
            for model, optimizer in ((one, first), (other, second)):
                backward(model, step)
                if optimizer is second:
                    self.assertTrue(all(param.grad is None for param in model.parameters()))
                    optimizer.param_groups[0]["lr"] = first.param_groups[0]["lr"]
                optimizer.step()
                optimizer.zero_grad()
            first.param_groups[0]["lr"] *= 0.9
            second.param_groups[0]["lr"] *= 0.9
        self.assertEqual(bits(one.parameters()), bits(other.parameters()))
        self.assertGreater(second.report.grad_norm, 0)
        self.assertEqual({held["step"].item() for held in second.state.values()}, {5.0})
        handle.remove()
        backward(other, 5)
        self.assertTrue(all(param.grad is not None for param in other.parameters()))

    def test_clips_by_the_norm_of_the_previous_step_also_when_resumed(self):
        one, other = model_of(0), model_of(0)
        first = AdamW(one.parameters(), max_norm=1e-3)
        first.release_gradients()
        for step in range(3):
            backward(one, step)
            first.step()
        other.load_state_dict(one.state_dict())
        second = AdamW(other.parameters(), max_norm=1e-3)
        second.load_state_dict(first.state_dict())
        second.release_gradients()
        for model, optimizer in ((one, first), (other, second)):
            backward(model, 3)
            optimizer.step()
        self.assertLess(first.report.clip_coefficient, 1)
        self.assertEqual(bits(one.parameters()), bits(other.parameters()))

    def test_a_second_backward_before_the_step_is_refused(self):
        model = model_of(0)
        optimizer = AdamW(model.parameters())
        optimizer.release_gradients()
        backward(model, 0)
        self.refused(adamant.DuplicateError, "", backward, model, 1)
        optimizer.step()

    def test_a_second_release_and_a_scaler_are_refused(self):
        model = model_of(0)
        optimizer = AdamW(model.parameters())
        optimizer.release_gradients()
        self.refused(adamant.BusyError, "releases gradients already", optimizer.release_gradients)
        backward(model, 0)
        optimizer.grad_scale = torch.tensor(2.0)
        self.refused(adamant.InvalidArgumentError, "GradScaler", optimizer.step)
        del optimizer.grad_scale
        optimizer.step()


class OldTorch(TestCase):
    @unittest.skipIf(HAS_RELEASE, "this torch has the hooks")
    def test_is_told_what_it_lacks(self):
        self.refused(NotImplementedError, "release_gradients needs torch 2.1", AdamW(parameters()).release_gradients)
        self.refused(NotImplementedError, "OffloadAdamW needs torch 2.1", OffloadAdamW, parameters())


@unittest.skipUnless(HAS_RELEASE, "gradients are released since torch 2.1")
class Offload(TestCase):
    def offloaded(self, device):
        """Trains with the optimizer beside the device, and in the usual way on the CPU."""
        here, there = model_of(0, torch.bfloat16), model_of(0, torch.bfloat16).to(device)
        usual = AdamW(here.parameters(), preset="b16", max_norm=0.01)
        usual.release_gradients()
        offload = OffloadAdamW(there.parameters(), max_norm=0.01)
        schedules = [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9) for optimizer in (usual, offload)]
        for step in range(6):
            for model, optimizer, schedule in zip((here, there), (usual, offload), schedules):
                backward(model, step)
                self.assertTrue(all(param.grad is None for param in model.parameters()))
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
        self.assertLess(offload.report.clip_coefficient, 1)
        return here, there, usual, offload

    def test_with_the_cpu_as_the_device(self):
        here, there, usual, offload = self.offloaded("cpu")
        self.assertEqual(bits(here.parameters()), bits(there.parameters()))
        # A run goes on from a state dict.
        again = model_of(1, torch.bfloat16)
        again.load_state_dict(there.state_dict())
        resumed = OffloadAdamW(again.parameters(), max_norm=0.01)
        resumed.load_state_dict(offload.state_dict())
        for model, optimizer in ((there, offload), (again, resumed)):
            backward(model, 9)
            optimizer.step()
        self.assertEqual(bits(there.parameters()), bits(again.parameters()))

    @unittest.skipUnless(torch.cuda.is_available(), "this machine has no accelerator that torch knows")
    def test_with_an_accelerator(self):
        here, there, *_ = self.offloaded("cuda")
        for x, y in zip(here.parameters(), there.parameters()):
            self.assert_near([y.cpu()], [x], relative=0.05)  # the model rounds differently there

    def test_groups_names_and_frozen_parameters(self):
        model = model_of(0, torch.bfloat16)
        model[0].bias.requires_grad_(False)
        before = bits([model[0].bias])
        optimizer = OffloadAdamW([{"params": model[0].parameters()}, {"params": model[2].weight, "lr": 0.1}])
        optimizer.add_param_group({"params": list(model[4].parameters())})
        weights = bits(model[4].parameters())
        backward(model, 0)
        optimizer.step()
        self.assertEqual(bits([model[0].bias]), before)
        self.assertNotEqual(bits(model[4].parameters()), weights)

    def test_weights_that_were_loaded_later(self):
        model, other = model_of(0, torch.bfloat16), model_of(1, torch.bfloat16)
        optimizer = OffloadAdamW(model.parameters(), lr=0.0)
        model.load_state_dict(other.state_dict())
        optimizer.read_weights()
        backward(model, 0)
        optimizer.step()
        self.assertEqual(bits(model.parameters()), bits(other.parameters()))

    def test_an_error_in_the_thread_is_raised_by_the_step(self):
        model = model_of(0, torch.bfloat16)
        optimizer = OffloadAdamW(model.parameters(), nonfinite="error")
        model[4].bias.register_hook(lambda grad: grad * float("nan"))
        backward(model, 0)
        self.refused(adamant.NonFiniteError, "", optimizer.step)

    def test_the_thread_ends_with_the_optimizer(self):
        model = model_of(0, torch.bfloat16)
        optimizer = OffloadAdamW(model.parameters())
        backward(model, 0)
        optimizer.step()
        thread = optimizer._thread
        self.assertTrue(thread.is_alive())
        del optimizer
        gc.collect()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        backward(model, 1)
        self.assertTrue(all(param.grad is not None for param in model.parameters()))

    def test_is_as_short_as_it_says(self):
        source = pathlib.Path(adamant.torch.__file__).with_name("_offload.py")
        self.assertLessEqual(len(source.read_text().splitlines()), 150)


class Telemetry(TestCase):
    def test_statistics_are_those_of_the_numpy_interface(self):
        a = parameters()
        b = [param.detach().numpy().copy() for param in a]
        one, other = AdamW(a), adamant.AdamW(b)
        first, second = adamant.Statistics(), adamant.Statistics()
        for step in range(3):
            generator = torch.Generator().manual_seed(step)
            for param in a:
                param.grad = torch.randn(param.shape, generator=generator)
            one.step(statistics=first)
            other.step([param.grad.numpy() for param in a], statistics=second)
        self.assertEqual(len(first), len(a))
        self.assertEqual([(s.tensor, s.sums) for s in first], [(s.tensor, s.sums) for s in second])

    def test_run_log_tensorboard_and_health(self):
        with tempfile.TemporaryDirectory() as folder:
            a = parameters()
            optimizer = AdamW(a, max_norm=1.0)
            path = os.path.join(folder, "run.jsonl")
            health = adamant.Health(optimizer)
            with adamant.RunLog(path, optimizer, title="torch", batch_size=8) as log, \
                    adamant.TensorBoard(folder, optimizer) as board:
                for step in range(4):
                    for param in a:
                        param.grad = torch.randn(param.shape)
                    statistics = log.statistics
                    optimizer.step(statistics=statistics)
                    log.step(1.0 / (step + 1), optimizer.report)
                    board.step(1.0, optimizer.report, statistics)
                    health.step(1.0, optimizer.report, statistics)
                self.assertTrue(os.path.getsize(board.path))
            lines = pathlib.Path(path).read_text().splitlines()
            self.assertEqual(len(lines), 1 + 4 + 1)
            self.assertIn("lights", dir(health))


if __name__ == "__main__":
    unittest.main()
