# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What others rely on in a torch.optim.Optimizer, and where optimizers outside of torch have gone wrong before."""

import copy
import io
import itertools
import pickle
import unittest

from torch_support import VERSION, TestCase, adamant, bits, copies, digest, give_grads, parameters, torch, train

from adamant.torch import SGD, Adagrad, AdamW


class States(TestCase):
    def test_loading_keeps_codes_byte_for_byte(self):
        a = parameters(dtype=torch.bfloat16)
        b = copies(a)
        one, other = AdamW(a, preset="q8"), AdamW(b, preset="q8")
        train(one, a, 3)
        other.load_state_dict(one.state_dict())
        for x, y in zip(a, b):
            if "adamant" in one.state[x]:
                codes = [v for v in one.state[x]["adamant"].values() if isinstance(v, torch.Tensor)]
                loaded = [v for v in other.state[y]["adamant"].values() if isinstance(v, torch.Tensor)]
                self.assertTrue(codes)
                self.assertEqual([v.dtype for v in loaded], [torch.uint8] * len(codes))
                self.assertEqual(bits(loaded), bits(codes))

    def test_loading_shares_no_memory(self):
        def addresses(optimizer):
            dicts = [d for held in optimizer.state.values() for d in (held, held.get("adamant", {}))]
            return {value.data_ptr() for d in dicts for value in d.values() if isinstance(value, torch.Tensor)}

        for state in ("f32", "q8"):
            a = parameters()
            one, other = AdamW(a, state=state), AdamW(copies(a), state=state)
            train(one, a, 2)
            other.load_state_dict(one.state_dict())
            self.assertEqual(len(addresses(other)), len(addresses(one)))
            self.assertFalse(addresses(one) & addresses(other))

    def test_other_formats_are_refused_by_name_and_nothing_changes(self):
        a = parameters(dtype=torch.bfloat16)
        q8, f32, split = AdamW(copies(a), state="q8"), AdamW(copies(a)), AdamW(copies(a), weights="split16")
        for optimizer in (q8, f32, split):
            train(optimizer, optimizer.param_groups[0]["params"], 2)
        for optimizer, saved, said in [(f32, q8, "'3' has state_format q8, this optimizer f32"),
                                       (q8, f32, "'3' is torch.float32, this optimizer has state_format q8"),
                                       (f32, split, "'0' has weight_format split16, this optimizer plain")]:
            before = copy.deepcopy(optimizer.state_dict())
            params = optimizer.param_groups[0]["params"]
            self.refused(adamant.MismatchError, said, optimizer.load_state_dict, saved.state_dict())
            after = optimizer.state_dict()
            self.assertEqual(digest(str(after).encode()), digest(str(before).encode()))
            train(optimizer, params, 1)

    def test_another_rule_is_refused_by_name_and_nothing_changes(self):
        lacks = {"AdamW": "betas", "Adam": "betas", "SGD": "dampening|momentum", "RMSprop": "alpha|eps",
                 "Adagrad": "lr_decay|eps"}
        others = {"AdamW": "AdamW", "Adam": "AdamW"}  # Adam's has all that AdamW's has
        for ours, option in lacks.items():
            a = parameters()
            optimizer = getattr(adamant.torch, ours)(a, lr=0.1, seed=3)
            train(optimizer, a, 2)
            for theirs, steps in itertools.product([*lacks, "Adadelta"], (0, 2)):
                if others.get(ours, ours) == others.get(theirs, theirs):
                    continue
                b = copies(a)
                other = getattr(torch.optim, theirs)(b, lr=0.5)
                train(other, b, steps)
                before = str(optimizer.state_dict()), optimizer.settings, optimizer.report
                groups, states = optimizer.param_groups, dict(optimizer.state)
                with self.subTest(ours=ours, theirs=theirs, steps=steps):
                    self.refused(adamant.MismatchError, f"^group 0 of the state dict has no '({option})', which a group of "
                                 f"{ours} has: it has .*lr, ", optimizer.load_state_dict, other.state_dict())
                    self.assertEqual((str(optimizer.state_dict()), optimizer.settings, optimizer.report), before)
                    self.assertIs(optimizer.param_groups, groups)
                    self.assertTrue(all(optimizer.state[param] is held for param, held in states.items()))
            reference = copies(a)
            again = getattr(adamant.torch, ours)(reference, lr=0.1, seed=3)
            again.load_state_dict(optimizer.state_dict())
            for params, each in ((a, optimizer), (reference, again)):
                train(each, params, 2, first=2)
            self.assertEqual(bits(a), bits(reference))

    def test_a_second_group_of_another_rule(self):
        a = parameters()
        optimizer = AdamW([{"params": a[:2]}, {"params": a[2:]}])
        saved = torch.optim.AdamW([{"params": a[:2]}, {"params": a[2:]}]).state_dict()
        del saved["param_groups"][1]["betas"]
        self.refused(adamant.MismatchError, "^group 1 of the state dict has no 'betas'", optimizer.load_state_dict, saved)

    def test_dicts_of_older_and_newer_torch_are_of_the_same_rule(self):
        newer = {"foreach": None, "capturable": False, "differentiable": False, "fused": None, "maximize": False}
        for name in ("AdamW", "Adam", "SGD", "RMSprop", "Adagrad"):
            for rule in (getattr(torch.optim, name), getattr(adamant.torch, name)):
                a = parameters()
                one = rule(a, lr=0.25)
                train(one, a, 2)
                scheduled = {**one.state_dict()["param_groups"][0], "initial_lr": 1.0, "max_lr": 2.0}
                decoupled = {"decoupled_weight_decay": name == "AdamW"} if "Adam" in name else {}
                for group in ({**newer, **scheduled, **decoupled},
                              {key: value for key, value in scheduled.items() if key not in newer | decoupled}):
                    other = getattr(adamant.torch, name)(copies(a), lr=0.5)
                    other.load_state_dict({**one.state_dict(), "param_groups": [group]})
                    self.assertEqual((other.param_groups[0]["lr"], other.param_groups[0]["max_lr"]), (0.25, 2.0))
                    train(other, other.param_groups[0]["params"], 1)

    def test_what_is_no_state_dict(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        saved = optimizer.state_dict()
        groups = saved["param_groups"]
        for bad, said in [(3, "is of type int"), (torch.nn.Linear(1, 1).state_dict(), "'param_groups'"),
                          ({"param_groups": groups}, "'state'"), ({**saved, "param_groups": 3}, "TypeError"),
                          ({**saved, "param_groups": [{}]}, "'params'"), ({**saved, "state": []}, "AttributeError"),
                          ({**saved, "param_groups": [3]}, "TypeError"),
                          ({**saved, "state": {0: 3}}, "something of type int")]:
            self.refused(adamant.InvalidArgumentError, "^the state dict .*" + said, optimizer.load_state_dict, bad)
        self.assertIs(optimizer.param_groups[0]["params"][0], a[0])
        train(optimizer, a, 1)

    def test_fsdp_sees_no_tensor_of_another_shape(self):
        a = parameters(dtype=torch.bfloat16)
        optimizer = AdamW(a, preset="q8")
        train(optimizer, a, 1)
        for param in a:
            for key, value in optimizer.state[param].items():
                if isinstance(value, torch.Tensor) and key != "step":
                    self.assertEqual(value.shape, param.shape)

    def test_dcp_allocates_states_with_a_step_that_changes_nothing(self):
        for settings in [{}, {"preset": "q8"}, {"weights": "dithered"}, {"preset": "b16"}]:
            for lr in (1e-3, torch.tensor(1e-3)):
                a = parameters(dtype=torch.bfloat16)
                before = bits(a)
                optimizer = AdamW(a, lr=lr, **settings)
                # As _init_optim_state of torch.distributed.checkpoint.state_dict does.
                for param in a:
                    param.grad = torch.zeros_like(param)
                for group in optimizer.param_groups:
                    group["lr"] = torch.tensor(0.0) if isinstance(lr, torch.Tensor) else 0.0
                optimizer.step(closure=None)
                optimizer.param_groups[0]["lr"] = lr
                optimizer.zero_grad(set_to_none=True)
                self.assertEqual(bits(a), before)
                self.assertEqual(len(optimizer.state), len(a))

    @unittest.skipIf(VERSION < (2, 3), "torch.distributed.checkpoint.state_dict came with torch 2.3")
    def test_distributed_checkpoint_saves_and_loads(self):
        from torch.distributed.checkpoint import state_dict as dcp

        def model_of(seed):
            torch.manual_seed(seed)
            return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))

        one, other = model_of(0), model_of(0)
        first, second = AdamW(one.parameters()), AdamW(other.parameters())
        train(first, list(one.parameters()), 3)
        other.load_state_dict(one.state_dict())
        saved = dcp.get_optimizer_state_dict(one, first)
        dcp.set_optimizer_state_dict(other, second, saved)
        train(first, list(one.parameters()), 3, first=3)
        train(second, list(other.parameters()), 3, first=3)
        self.assertEqual(bits(one.parameters()), bits(other.parameters()))

    @unittest.skipIf(VERSION < (2, 0), "step hooks came with torch 2.0")
    def test_states_of_a_pre_hook_are_used_with_their_dtype(self):
        a = parameters()
        b = copies(a)
        one = AdamW(a)
        made = {}

        def fill(optimizer, args, kwargs):
            for param in a:
                if param not in made:
                    made[param] = optimizer.state[param]["exp_avg"] = torch.zeros_like(param, dtype=torch.bfloat16)
                    optimizer.state[param]["exp_avg_sq"] = torch.zeros_like(param, dtype=torch.bfloat16)
                    optimizer.state[param]["step"] = torch.tensor(0.0)

        one.register_step_pre_hook(fill)
        other = AdamW(b, state="bf16")
        train(one, a, 5)
        train(other, b, 5)
        self.assertTrue(all(one.state[param]["exp_avg"] is made[param] for param in a))
        self.assertEqual(bits(a), bits(b))

    def test_states_in_two_dtypes_are_refused(self):
        a = parameters()
        optimizer = AdamW(a)
        optimizer.state[a[0]] = {"step": torch.tensor(0.0), "exp_avg": torch.zeros_like(a[0], dtype=torch.bfloat16),
                                 "exp_avg_sq": torch.zeros_like(a[0])}
        give_grads(0, a)
        self.refused(adamant.MismatchError, "'exp_avg_sq' of '0' is torch.float32", optimizer.step)

    def test_a_missing_state_is_named(self):
        a = parameters()
        optimizer = AdamW(a, amsgrad=True)
        train(optimizer, a, 1)
        del optimizer.state[a[0]]["max_exp_avg_sq"]
        give_grads(1, a)
        self.refused(KeyError, "state of '0' has no 'max_exp_avg_sq'", optimizer.step)

    def test_momentum_buffers_that_torch_has_not_made(self):
        a = parameters()
        b = copies(a)
        one, other = torch.optim.SGD(a, lr=0.1, momentum=0.9), SGD(b, lr=0.1, momentum=0.9)
        saved = one.state_dict()
        saved["state"] = {i: {"momentum_buffer": None} for i in range(len(a))}
        other.load_state_dict(saved)
        train(one, a, 3)
        train(other, b, 3)
        self.assert_near(b, a)

    def test_states_that_are_replaced_or_moved_are_used(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), AdamW(b)
        for step in range(6):
            train(one, a, 1, first=step)
            train(other, b, 1, first=step)
            held = other.state[b[1]]
            if step == 1:
                held["exp_avg"] = held["exp_avg"].clone()
            if step == 2:
                held["exp_avg"].data = held["exp_avg"].clone()
            if step == 3:
                other.state[b[1]] = {key: value.clone() for key, value in held.items()}
        self.assertEqual(bits(a), bits(b))
        train(one, a, 1, first=6)
        moved = other.state[b[1]]["exp_avg"]
        moved.data = moved.clone()  # after a step in which all was as before
        train(other, b, 1, first=6)
        self.assertEqual(bits([moved]), bits([one.state[a[1]]["exp_avg"]]))

    def test_a_step_count_that_is_set_is_used(self):
        a = parameters()
        b = copies(a)
        one, other = torch.optim.AdamW(a), AdamW(b)
        for step in range(6):
            train(one, a, 1, first=step)
            train(other, b, 1, first=step)
            if step == 3:
                one.state[a[1]]["step"].fill_(1)
                other.state[b[1]]["step"].fill_(1)
        self.assert_near(b, a)
        self.assertEqual(other.state[b[1]]["step"].item(), 3)

    def test_a_count_that_is_none_is_refused(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 3)
        saved = optimizer.state_dict()
        for count in (-1.0, float("nan"), float("inf"), 2.0**64):
            said = rf"step of '1' is (-1|nan|inf|{2**64}): it must be an integer from 0 to {2**64 - 1}"
            optimizer.state[a[1]]["step"].fill_(count)
            for _ in range(2):
                before = copies(a)
                self.refused(adamant.InvalidArgumentError, said, train, optimizer, a, 1)
                self.assertEqual(bits(a), bits(before))
            other = AdamW(copies(a))
            self.refused(adamant.InvalidArgumentError, said, other.load_state_dict, saved)
            optimizer.state[a[1]]["step"].fill_(3)
        for steps in (-1, 2**64 + 5):
            other = AdamW(copies(a))
            self.refused(adamant.InvalidArgumentError, f"steps is {steps}: it must be an integer from 0",
                         other.load_state_dict, {**saved, "adamant": {**saved["adamant"], "steps": steps}})
        train(optimizer, a, 1)
        self.assertEqual(optimizer.state_dict()["adamant"]["steps"], 4)

    def test_texts_with_zero_bytes_are_refused(self):
        a = parameters(shapes=[(3,)])
        said = "is '.*\\\\x00.*': it must be a str of Unicode, without zero bytes"
        self.refused(adamant.InvalidArgumentError, "preset " + said, lambda: AdamW(a, preset="q8\0x").names)
        self.refused(adamant.InvalidArgumentError, "state " + said, AdamW(a).set_formats, state="q8\0x")
        self.refused(adamant.InvalidArgumentError, "weights " + said, AdamW(a).set_formats, weights="plain\0x")
        if VERSION >= (2, 6):
            self.refused(adamant.InvalidArgumentError, "name of a parameter " + said,
                         lambda: AdamW([("a\0b", a[0])]).names)

    def test_a_state_that_is_taken_away_is_made_again(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 3)
        optimizer.state.pop(a[3])
        train(optimizer, a, 1, first=3)
        self.assertEqual([optimizer.state[param]["step"].item() for param in a], [4, 4, 4, 1])

    def test_step_counts_of_other_kinds_are_read(self):
        for step in (3, 3.0, torch.tensor(3), torch.tensor(3.0, dtype=torch.float64)):
            a = parameters(shapes=[(5,)])
            b = copies(a)
            one, other = torch.optim.Adam(a), adamant.torch.Adam(b)
            train(one, a, 3)
            saved = copy.deepcopy(one.state_dict())
            saved["state"][0]["step"] = step
            other.load_state_dict(saved)
            with torch.no_grad():
                b[0].copy_(a[0])
            train(one, a, 2, first=3)
            train(other, b, 2, first=3)
            self.assert_near(b, a)


class Scaler(TestCase):
    """What GradScaler does around a step."""

    def test_unscales_without_writing_the_gradient(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), AdamW(b)
        self.assertTrue(one._step_supports_amp_scaling)
        give_grads(0, a, b)
        for param in a:
            param.grad *= 1024
        before = bits([param.grad for param in a])
        one.grad_scale, one.found_inf = torch.tensor(1024.0), torch.tensor(0.0)
        one.step()
        del one.grad_scale, one.found_inf
        other.step()
        self.assertEqual(bits(a), bits(b))
        self.assertEqual(bits([param.grad for param in a]), before)

    def test_a_step_with_infinities_does_not_count(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        before = bits(a)
        give_grads(1, a)
        optimizer.grad_scale, optimizer.found_inf = torch.tensor(2.0), torch.tensor(1.0)
        optimizer.step()
        self.assertEqual(bits(a), before)
        self.assertEqual(optimizer.state[a[0]]["step"].item(), 1)

    @unittest.skipIf(VERSION < (2, 3), "a GradScaler on the CPU came with torch 2.3")
    def test_with_the_scaler_of_torch(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), torch.optim.AdamW(b)
        for params, optimizer in ((a, one), (b, other)):
            scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
            for step in range(3):
                optimizer.zero_grad()
                loss = sum((param * param).sum() for param in params)
                if step == 1:
                    loss = loss * float("inf")
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
        self.assert_near(a, b)
        self.assertEqual(one.state[a[0]]["step"].item(), 2)


class Wrappers(TestCase):
    @unittest.skipIf(VERSION < (2, 0), "step hooks came with torch 2.0")
    def test_hooks_run_once_and_in_order(self):
        a = parameters()
        seen = []
        optimizer = AdamW(a)
        optimizer.register_step_pre_hook(lambda *_: seen.append("pre"))
        optimizer.register_step_post_hook(lambda *_: seen.append("post"))
        if VERSION >= (2, 3):
            optimizer.register_state_dict_pre_hook(lambda *_: seen.append("save"))
            optimizer.register_state_dict_post_hook(lambda *_: seen.append("saved"))
            optimizer.register_load_state_dict_pre_hook(lambda *_: seen.append("load"))
            optimizer.register_load_state_dict_post_hook(lambda *_: seen.append("loaded"))
        train(optimizer, a, 1)
        optimizer.load_state_dict(optimizer.state_dict())
        self.assertEqual(seen, ["pre", "post", "save", "saved", "load", "loaded"][: len(seen)])
        self.assertGreaterEqual(len(seen), 2)

    @unittest.skipIf(VERSION < (2, 3), "hooks of state dicts came with torch 2.3")
    def test_a_hook_may_change_the_dict_that_is_loaded(self):
        a = parameters()
        one, other = AdamW(a), AdamW(copies(a))
        train(one, a, 2)

        def change(optimizer, saved):
            saved = copy.deepcopy(saved)
            saved["param_groups"][0]["lr"] = 0.5
            saved["state"][0]["step"].fill_(7)
            return saved

        other.register_load_state_dict_pre_hook(change)
        other.load_state_dict(one.state_dict())
        held = other.state[other.param_groups[0]["params"][0]]
        self.assertEqual((other.param_groups[0]["lr"], held["step"].item()), (0.5, 7))

    def test_the_profiler_sees_the_step(self):
        a = parameters()
        optimizer = AdamW(a)
        with torch.autograd.profiler.profile() as profile:
            train(optimizer, a, 1)
        self.assertIn("Optimizer.step#AdamW.step", {event.name for event in profile.function_events})

    def test_optimizers_that_are_not_of_this_package(self):
        a = parameters()
        for call in (adamant.Health, lambda optimizer: adamant.save(optimizer, "/nowhere/a"),
                     lambda optimizer: adamant.RunLog("/nowhere/log", optimizer)):
            self.refused(adamant.InvalidArgumentError, "^the optimizer is of type torch.optim.adamw.AdamW: it must be an "
                         "adamant.Optimizer, or of a class of adamant.torch", call, torch.optim.AdamW(a))
        adamant.Health(AdamW(a))
        self.refused(adamant.InvalidArgumentError, "Parameter and requires grad: adamant.torch has", adamant.AdamW, a)
        self.refused(adamant.InvalidArgumentError, "the statistics are of type int", AdamW(a).step, statistics=3)

    def test_the_class_of_no_rule(self):
        classes = ", ".join("adamant.torch." + rule.__name__ for rule in adamant.torch.RULES.values())
        self.refused(adamant.InvalidArgumentError, rf"^Optimizer has no rule: use a class that has one \({classes}\)",
                     adamant.torch.Optimizer, parameters())

    def test_it_is_torchs_class_too(self):
        optimizer = AdamW(parameters())
        self.assertIsInstance(optimizer, torch.optim.AdamW)
        self.assertIsInstance(optimizer, adamant.torch.Optimizer)

    def test_a_closure_has_gradients_enabled(self):
        a = parameters()
        optimizer = AdamW(a)

        def closure():
            optimizer.zero_grad()
            loss = sum((param * param).sum() for param in a)
            loss.backward()
            return loss

        with torch.no_grad():
            losses = [optimizer.step(closure).item() for _ in range(3)]
        self.assertGreater(losses[0], losses[2])

    def test_the_rate_is_read_at_each_step(self):
        for lr in (0.01, torch.tensor(0.01)):
            a = parameters()
            b = copies(a)
            one, other = AdamW(a, lr=lr), AdamW(b, lr=0.01)
            for step, new in enumerate((0.01, 0.02, 0.005)):
                other.param_groups[0]["lr"] = new
                if isinstance(lr, torch.Tensor):
                    one.param_groups[0]["lr"].fill_(new)
                else:
                    one.param_groups[0]["lr"] = new
                train(one, a, 1, first=step)
                train(other, b, 1, first=step)
            self.assert_near(a, b)

    def test_schedulers(self):
        schedulers = torch.optim.lr_scheduler
        for rule, options, make in [
            ("AdamW", {}, lambda o: schedulers.CosineAnnealingLR(o, 10)),
            ("SGD", {"lr": 0.1, "momentum": 0.9}, lambda o: schedulers.OneCycleLR(o, 0.5, 20)),
            ("AdamW", {}, lambda o: schedulers.OneCycleLR(o, 0.01, 20)),
            ("SGD", {"lr": 0.1}, lambda o: schedulers.SequentialLR(
                o, [schedulers.LinearLR(o), schedulers.ExponentialLR(o, 0.9)], [3])),
        ]:
            a = parameters()
            b = copies(a)
            one, other = getattr(adamant.torch, rule)(a, **options), getattr(torch.optim, rule)(b, **options)
            first, second = make(one), make(other)
            for step in range(10):
                train(one, a, 1, first=step)
                train(other, b, 1, first=step)
                first.step()
                second.step()
            self.assert_near(a, b)

    @unittest.skipIf(VERSION < (2, 1), "torch.compile leaves functions alone since torch 2.1")
    def test_torch_compile_leaves_the_step_alone(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), AdamW(b)
        step = torch.compile(one.step, backend="eager")
        for number in range(3):
            give_grads(number, a, b)
            step()
            other.step()
        self.assertEqual(bits(a), bits(b))

    def test_autograd_sees_that_parameters_changed(self):
        weight = torch.nn.Parameter(torch.randn(4))
        optimizer = AdamW([weight])
        (weight * weight).sum().backward()
        loss = (weight * weight).sum()
        optimizer.step()
        self.refused(RuntimeError, "modified by an inplace operation", loss.backward)

    def test_zero_grad(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        optimizer.zero_grad(set_to_none=False)
        self.assertTrue(all(not param.grad.any() for param in a))
        optimizer.zero_grad(set_to_none=True)
        self.assertTrue(all(param.grad is None for param in a))
        before = bits(a)
        optimizer.step()
        self.assertEqual(bits(a), before)


class Groups(TestCase):
    def test_added_later(self):
        a, b = parameters(), parameters(shapes=[(9,)], seed=3)
        c, d = copies(a), copies(b)
        one, other = AdamW(a), torch.optim.AdamW(c)
        train(one, a, 3)
        train(other, c, 3)
        one.add_param_group({"params": b, "lr": 0.1})
        other.add_param_group({"params": d, "lr": 0.1})
        train(one, a + b, 3, first=3)
        train(other, c + d, 3, first=3)
        self.assert_near(a + b, c + d)

    def test_added_to_adagrad(self):
        a, b = parameters(), parameters(shapes=[(9,)], seed=3)
        optimizer = Adagrad(a, initial_accumulator_value=0.5)
        optimizer.add_param_group({"params": b})
        train(optimizer, a + b, 1)
        self.assertGreater(optimizer.state[b[0]]["sum"].min().item(), 0.5)

    def test_that_cannot_be_stepped_is_refused_and_not_there(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        self.refused(ValueError, "parameter '4' has strides", optimizer.add_param_group,
                     {"params": [torch.zeros(4, 4)[:, ::2].requires_grad_()]})
        self.assertEqual(len(optimizer.param_groups), 1)
        train(optimizer, a, 1)

    def test_an_option_that_is_refused_is_refused_in_every_step(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 1)
        before = bits(a)
        for name, value, said in [("lr", -1.0, "Invalid learning rate"), ("lr", "x", "lr is 'x': it must be a number"),
                                  ("betas", 0.5, "betas")]:
            old, optimizer.param_groups[0][name] = optimizer.param_groups[0][name], value
            for _ in range(2):
                self.refused(adamant.InvalidArgumentError, said, optimizer.step)
            optimizer.param_groups[0][name] = old
        self.assertEqual(bits(a), before)
        train(optimizer, a, 1)

    def test_options_of_a_group_may_need_other_states(self):
        a = parameters()
        b = copies(a)
        one, other = SGD(a, lr=0.1), torch.optim.SGD(b, lr=0.1)
        for step in range(6):
            for optimizer in (one, other):
                optimizer.param_groups[0]["momentum"] = 0.9 if step > 2 else 0.0
            train(one, a, 1, first=step)
            train(other, b, 1, first=step)
        self.assert_near(a, b)

    def test_frozen_and_later_unfrozen(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), torch.optim.AdamW(b)
        for param in (a[1], b[1]):
            param.requires_grad_(False)
        for step in range(6):
            frozen = step < 3
            for params in (a, b):
                params[1].requires_grad_(not frozen)
            give_grads(step, a, b)
            if frozen:
                a[1].grad = b[1].grad = None
            one.step()
            other.step()
        self.assert_near(a, b)
        self.assertEqual(one.state[a[1]]["step"].item(), 3)

    def test_all_frozen(self):
        a = parameters()
        for param in a:
            param.requires_grad_(False)
        optimizer = AdamW(a)
        optimizer.step()
        for param in a:
            param.requires_grad_(True)
        train(optimizer, a, 1)
        self.assertEqual(len(optimizer.state), len(a))

    def test_refused_by_name(self):
        for name in ("capturable", "differentiable"):
            if name in torch.optim.Adam(parameters()).defaults:
                self.refused(adamant.InvalidArgumentError, f"{name}=True", adamant.torch.Adam, parameters(), **{name: True})
        self.refused(adamant.InvalidArgumentError, "capturable=True in group 1", AdamW,
                     [{"params": parameters()}, {"params": parameters(1), "capturable": True}])

    def test_foreach_and_fused_are_accepted(self):
        for name in ("foreach", "fused"):
            if name in torch.optim.AdamW(parameters()).defaults:
                a = parameters()
                b = copies(a)
                train(AdamW(a, **{name: True}), a, 2)
                train(AdamW(b), b, 2)
                self.assertEqual(bits(a), bits(b))


@unittest.skipIf(VERSION < (2, 6), "named parameters came with torch 2.6")
class Names(TestCase):
    def test_are_checked(self):
        a = parameters()
        named = list(zip("abcd", a))
        optimizer = AdamW(named)
        self.assertEqual(optimizer.names, tuple("abcd"))
        self.refused(ValueError, "two parameters are called 'a'", AdamW, [("a", a[0]), ("a", a[1])])
        self.refused(ValueError, "name of a parameter in group 0 is 3", AdamW, [(3, a[0])])

    def test_a_dict_of_other_names_is_refused(self):
        a = parameters(shapes=[(3,), (3,)])
        one, other = AdamW(list(zip("ab", a))), AdamW(list(zip("ba", a)))
        train(one, a, 1)
        self.refused(adamant.MismatchError, "has the parameter 'a' in group 0, where this optimizer has 'b'",
                     other.load_state_dict, one.state_dict())


class Copies(TestCase):
    def optimizers(self):
        for options in ({}, {"preset": "q8", "max_norm": 1.0}, {"weights": "dithered", "seed": 3}):
            a = parameters(dtype=torch.bfloat16)
            optimizer = AdamW(a, **options)
            train(optimizer, a, 3)
            yield a, optimizer

    def test_deepcopy(self):
        for a, optimizer in self.optimizers():
            again = copy.deepcopy(optimizer)
            b = again.param_groups[0]["params"]
            train(optimizer, a, 3, first=3)
            train(again, b, 3, first=3)
            self.assertEqual(bits(a), bits(b))
            self.assertEqual(again.settings, optimizer.settings)

    def test_pickle(self):
        for a, optimizer in self.optimizers():
            again = pickle.loads(pickle.dumps(optimizer))
            b = again.param_groups[0]["params"]
            train(optimizer, a, 3, first=3)
            train(again, b, 3, first=3)
            self.assertEqual(bits(a), bits(b))

    def test_save_and_load(self):
        safely = {"weights_only": VERSION >= (2, 0)}  # that of 1.13 knows no floats
        for a, optimizer in self.optimizers():
            file = io.BytesIO()
            torch.save(optimizer.state_dict(), file)
            file.seek(0)
            b = copies(a)
            again = type(optimizer)(b, **optimizer._settings)
            again.load_state_dict(torch.load(file, **safely))
            train(optimizer, a, 3, first=3)
            train(again, b, 3, first=3)
            self.assertEqual(bits(a), bits(b))
            self.assertEqual(again._progress()[0], optimizer._progress()[0])

    def test_a_parameter_that_moves(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), AdamW(b)
        for step in range(4):
            train(one, a, 1, first=step)
            train(other, b, 1, first=step)
            for param in b:
                param.data = param.data.clone()
        self.assertEqual(bits(a), bits(b))

    def test_a_model_that_changes_its_dtype(self):
        a = parameters()
        optimizer = AdamW(a)
        train(optimizer, a, 2)
        for param in a:
            param.data = param.data.bfloat16()
            param.grad = None
        train(optimizer, a, 2, first=2)
        self.assertEqual(optimizer.state[a[0]]["step"].item(), 4)


class Clipping(TestCase):
    def test_outside_and_inside(self):
        a = parameters()
        b = copies(a)
        one, other = AdamW(a), AdamW(b, max_norm=1.0)
        for step in range(4):
            give_grads(step, a, b)
            norm = torch.nn.utils.clip_grad_norm_(a, 1.0)
            one.step()
            other.step()
            self.assertAlmostEqual(other.report.grad_norm / norm.item(), 1.0, places=5)
        self.assert_near(a, b)

    def test_settings_can_be_changed(self):
        a = parameters()
        optimizer = AdamW(a)
        optimizer.set_settings(max_norm=2.0)
        train(optimizer, a, 1)
        self.assertLess(optimizer.report.clip_coefficient, 1.0)
        optimizer.add_param_group({"params": parameters(5, shapes=[(3,)])})
        self.assertEqual(optimizer.settings["max_norm"], 2.0)

    def test_what_is_not_finite(self):
        a = parameters(shapes=[(5,), (3,)])
        give_grads(0, a)
        a[0].grad[2] = float("nan")
        skips = AdamW(a, nonfinite="skip")
        before = bits(a)
        skips.step()
        self.assertEqual(bits(a), before)
        self.assertEqual((skips.report.applied, skips.report.nonfinite), (False, ("0", 2, 1)))
        self.assertEqual(skips.state[a[0]]["step"].item(), 0)
        train_nan = AdamW(a)
        train_nan.step()
        self.assertTrue(torch.isnan(a[0]).any())


if __name__ == "__main__":
    unittest.main()
