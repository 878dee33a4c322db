# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Tensors of every kind: stepped as torch does, or refused with a text that says which and why."""

import tempfile
import unittest
from unittest import mock

from torch_support import VERSION, TestCase, adamant, bits, copies, give_grads, parameters, torch, train

from adamant.torch import AdamW


def train_anew(optimizer):
    """A step of an optimizer that remembers nothing of the step before."""
    optimizer._rebuild()
    optimizer.step()


class Right(TestCase):
    def same(self, a, steps=5, rule="AdamW", **options):
        b = [torch.nn.Parameter(param.detach().clone(memory_format=torch.preserve_format)) for param in a]
        one, other = getattr(adamant.torch, rule)(a, **options), getattr(torch.optim, rule)(b, **options)
        for step in range(steps):
            give_grads(step, a, b)
            one.step()
            other.step()
        self.assert_near(a, b)
        return one

    def test_channels_last(self):
        a = [torch.nn.Parameter(torch.randn(4, 3, 5, 2).to(memory_format=torch.channels_last)),
             torch.nn.Parameter(torch.randn(6, 5).t())]
        optimizer = self.same(a)
        self.assertEqual(optimizer.state[a[0]]["exp_avg"].stride(), a[0].stride())

    def test_gradients_in_another_order(self):
        a = [torch.nn.Parameter(torch.randn(6, 5)), torch.nn.Parameter(torch.randn(8))]
        b = copies(a)
        one, other = AdamW(a), torch.optim.AdamW(b)
        for step in range(8):
            for x, y in zip(a, b):
                grad = torch.randn(x.shape)
                x.grad = {0: lambda g: torch.stack([g, g], dim=-1)[..., 0], 1: lambda g: g.t().contiguous().t(),
                          2: torch.clone, 3: torch.clone}[step % 4](grad)
                y.grad = grad
            one.step()
            other.step()
        self.assert_near(a, b)

    def test_ordinary_gradients_beside_others(self):
        kinds = {"usual": lambda g: g, "gaps": lambda g: torch.stack([g, g], dim=-1)[..., 0], "none": lambda g: None,
                 "turned": lambda g: g.t().contiguous().t()}
        plans = {"usual": ["usual"] * 8, "gaps": ["gaps"] * 8, "later": ["usual"] * 3 + ["gaps"] * 5,
                 "lost": ["gaps", "gaps", "none", "none"] * 2, "turning": ["turned"] * 3 + ["usual", "turned"] * 2 + ["gaps"]}
        a = [torch.nn.Parameter(torch.randn(6, 5)) for _ in plans]
        a[-1].data = torch.randn(5, 6).t()
        b = [torch.nn.Parameter(param.detach().clone()) for param in a]
        one, other = AdamW(a), AdamW(b)
        for step in range(8):
            for x, y, plan in zip(a, b, plans.values()):
                grad = kinds[plan[step]](torch.randn(6, 5))
                x.grad, y.grad = grad, None if grad is None else grad.clone()
            one.step()
            train_anew(other)
        self.assertEqual(bits(a), bits(b))
        self.assertEqual([one.state[x]["step"].item() for x in a], [8, 8, 8, 4, 8])

    def test_an_expanded_gradient(self):
        a = parameters()
        b = copies(a)
        sum(param.sum() for param in a).backward()
        sum(param.sum() for param in b).backward()
        a[0].grad = torch.ones(()).expand(7, 5)
        AdamW(a).step()
        torch.optim.AdamW(b).step()
        self.assert_near(a, b)

    def test_doubles(self):
        a = parameters(dtype=torch.float64)
        optimizer = self.same(a)
        self.assertEqual(optimizer.state[a[0]]["exp_avg"].dtype, torch.float64)

    def test_complex_numbers(self):
        for dtype in (torch.complex64, torch.complex128):
            for rule, options in [("AdamW", {}), ("SGD", {"lr": 0.1, "momentum": 0.9}),
                                  ("Adagrad", {"initial_accumulator_value": 0.1})]:
                optimizer = self.same([torch.nn.Parameter(torch.randn(5, 3, dtype=dtype))], rule=rule, **options)
                self.assertEqual({v.dtype for held in optimizer.state.values() for k, v in held.items() if k != "step"},
                                 {dtype})

    def test_a_conjugated_gradient(self):
        a = [torch.nn.Parameter(torch.randn(5, dtype=torch.complex64))]
        b = copies(a)
        grad = torch.randn(5, dtype=torch.complex64)
        a[0].grad, b[0].grad = grad.conj(), grad.conj().resolve_conj()
        AdamW(a).step()
        AdamW(b).step()
        self.assertEqual(bits([torch.view_as_real(a[0])]), bits([torch.view_as_real(b[0])]))

    def test_a_negated_gradient(self):
        a = [torch.nn.Parameter(torch.randn(1))]
        b = copies(a)
        optimizers = AdamW(a), AdamW(b)
        for step in range(4):
            grad = torch.randn(1, dtype=torch.complex64).conj().imag
            self.assertTrue(grad.is_neg() and grad.is_contiguous())
            grad = grad if step % 2 else torch.full((1,), grad.item())
            a[0].grad, b[0].grad = grad, grad.resolve_neg().clone()
            for optimizer in optimizers:
                optimizer.step()
        self.assertEqual(bits(a), bits(b))

    def test_scalars_and_no_elements(self):
        self.same([torch.nn.Parameter(torch.randn(())), torch.nn.Parameter(torch.randn(0, 3)),
                   torch.nn.Parameter(torch.randn(2))])

    def test_memory_that_was_a_gradient_before(self):
        a = parameters(shapes=[(5000,), (5000,)])
        optimizer = AdamW(a)
        give_grads(0, a)
        a[1].grad, memory = None, a[0].grad
        optimizer.step()
        a[0].grad = None
        # An allocator may give the memory of an old gradient to the state that is made now.
        optimizer.state[a[1]].update(step=torch.tensor(0.0), exp_avg=memory.zero_(), exp_avg_sq=torch.zeros(5000))
        a[1].grad = torch.ones(5000)
        optimizer.step()
        self.assertGreater(memory.min().item(), 0)

    def test_shared_memory(self):
        a = parameters()
        for param in a:
            param.share_memory_()
        self.same(a)
        self.assertTrue(all(param.is_shared() for param in a))

    def test_frozen_integers(self):
        frozen = torch.nn.Parameter(torch.arange(4), requires_grad=False)
        a = parameters()
        train(AdamW([frozen, *a]), a, 2)
        self.assertEqual(frozen.tolist(), [0, 1, 2, 3])

    def test_resized_is_noticed(self):
        a = parameters(shapes=[(8,)])
        optimizer = AdamW(a)
        train(optimizer, a, 2)
        a[0].grad = torch.ones(8)
        a[0].grad.resize_(4)
        self.refused(adamant.MismatchError, r"gradient of '0' has shape \(4,\)", optimizer.step)

    def test_half_precision(self):
        for dtype in (torch.bfloat16, torch.float16):
            a = parameters(dtype=dtype)
            b = [torch.nn.Parameter(param.detach().float()) for param in a]
            optimizer = AdamW(a)
            train(optimizer, a, 3)
            train(torch.optim.AdamW(b), b, 3)
            self.assert_near(a, b, relative=1e-2)


class Refused(TestCase):
    def test_parameters(self):
        strided = torch.zeros(4, 4)[:, ::2].requires_grad_()
        twice = torch.zeros(1).expand(4).requires_grad_()
        conjugated = torch.zeros(4, dtype=torch.complex64).conj().requires_grad_()
        for param, said in [(conjugated, "parameter '0' is a view that conjugates"), (strided, r"parameter '0' has strides \(4, 2\)"), (twice, "parameter '0' has strides"),
                            (torch.zeros(3, device="meta", requires_grad=True), "parameter '0' is on meta"),
                            (torch.zeros(3).to_sparse().requires_grad_(), "parameter '0' has the layout torch.sparse_coo")]:
            self.refused(adamant.InvalidArgumentError, said, AdamW, [param])

    def test_memory_in_two_parameters(self):
        memory = torch.zeros(8)
        self.refused(adamant.DuplicateError, "'1'|'0'", AdamW,
                     [torch.nn.Parameter(memory[:6]), torch.nn.Parameter(memory[4:])])

    def test_sparse_gradients(self):
        table = torch.nn.Embedding(5, 3, sparse=True)
        optimizer = AdamW(table.parameters())
        table(torch.tensor([1])).sum().backward()
        self.refused(RuntimeError, "AdamW does not support sparse gradients, please consider SparseAdam", optimizer.step)
        a = parameters(shapes=[(5, 3)])
        optimizer = AdamW(a)
        train(optimizer, a, 2)
        a[0].grad = torch.ones(5, 3).to_sparse()
        self.refused(RuntimeError, "sparse", optimizer.step)

    def test_bf16_states_of_complex_numbers(self):
        a = [torch.nn.Parameter(torch.randn(5, dtype=torch.complex64))]
        optimizer = AdamW(a, state="bf16")
        a[0].grad = torch.ones_like(a[0])
        self.refused(adamant.InvalidArgumentError, "no such complex numbers", optimizer.step)

    def test_a_refused_step_changes_nothing(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 2)
        before = bits(a)
        give_grads(2, a)
        a[3].grad = a[3].grad.to_sparse()
        self.refused(RuntimeError, "sparse", optimizer.step)
        self.assertEqual(bits(a), before)
        train(optimizer, a, 1)
        self.assertEqual(optimizer.state[a[0]]["step"].item(), 3)

    def test_a_state_of_another_shape(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        saved = optimizer.state_dict()
        saved["state"][1]["exp_avg"] = torch.zeros(2)
        self.refused(adamant.MismatchError, r"'exp_avg' of '1' is a Tensor of shape \(2,\)", optimizer.load_state_dict, saved)


@unittest.skipUnless(torch.cuda.is_available(), "this machine has no accelerator that torch knows")
class Accelerator(TestCase):
    def test_is_refused(self):
        self.refused(adamant.InvalidArgumentError, "'0' is on cuda:0", AdamW, [torch.zeros(3, device="cuda", requires_grad=True)])


@unittest.skipIf(VERSION < (2, 7) or not torch.distributed.is_available(), "fully_shard of torch 2.6 needs an accelerator")
class Distributed(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = tempfile.NamedTemporaryFile()
        torch.distributed.init_process_group("gloo", init_method=f"file://{cls.file.name}", rank=0, world_size=1)

    @classmethod
    def tearDownClass(cls):
        torch.distributed.destroy_process_group()
        cls.file.close()

    def test_fsdp2(self):
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.tensor import DTensor, init_device_mesh

        mesh = init_device_mesh("cpu", (1,))

        def run(rule):
            torch.manual_seed(0)
            model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
            fully_shard(model, mesh=mesh)
            optimizer = rule(model.parameters(), lr=0.01)
            for _ in range(5):
                optimizer.zero_grad()
                model(torch.ones(3, 6)).square().sum().backward()
                optimizer.step()
            return optimizer, [param.to_local() for param in model.parameters()]

        optimizer, ours = run(AdamW)
        _, theirs = run(torch.optim.AdamW)
        self.assert_near(ours, theirs)
        held = next(iter(optimizer.state.values()))
        self.assertIsInstance(held["exp_avg"], DTensor)
        saved = optimizer.state_dict()
        optimizer.load_state_dict(saved)
        self.assertIsInstance(next(iter(optimizer.state.values()))["exp_avg"], DTensor)

    def test_fsdp2_with_distributed_checkpoint(self):
        from torch.distributed.checkpoint import state_dict as dcp
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.tensor import init_device_mesh

        torch.manual_seed(0)
        model = torch.nn.Linear(6, 8)
        fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
        optimizer = AdamW(model.parameters())
        model(torch.ones(3, 6)).square().sum().backward()
        optimizer.step()
        saved = dcp.get_optimizer_state_dict(model, optimizer)
        dcp.set_optimizer_state_dict(model, optimizer, saved)
        model(torch.ones(3, 6)).square().sum().backward()
        optimizer.step()
        self.assertEqual({held["step"].item() for held in optimizer.state.values()}, {2.0})

    def test_a_norm_of_a_part_is_refused(self):
        from torch.distributed.tensor import DTensor, Replicate, init_device_mesh

        mesh = init_device_mesh("cpu", (1,))
        param = torch.nn.Parameter(DTensor.from_local(torch.ones(3), mesh, [Replicate()]))
        with mock.patch.object(type(mesh), "size", lambda *_: 2):
            self.refused(adamant.InvalidArgumentError, "max_norm is 1.0 and '0' is spread over", AdamW, [param], max_norm=1.0)


if __name__ == "__main__":
    unittest.main()
