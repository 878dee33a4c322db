# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""AdamW for a model on an accelerator, with the optimizer in CPU memory: a recipe to use or to copy."""

from __future__ import annotations

import functools
import queue
import threading
import weakref
from typing import Any

import torch

from ._optimizer import RULES, needs_gradient_hooks


class OffloadAdamW(RULES["adamw"]):
    """Keeps a copy of the weights, and the states, in CPU memory. While `backward()` still runs, each gradient that is
    complete goes there and is freed on the device, a thread updates the weight, and the weight goes back.

        optimizer = OffloadAdamW(model.parameters(), lr=1e-5, max_norm=1.0)
        loss.backward()   # one for each step
        optimizer.step()  # waits for the last weights

    Arguments are those of `AdamW`; preset is "b16" unless formats are given. `max_norm` clips by the norm of the previous
    step, as the whole norm is known only after the last gradient. `param_groups` and `state_dict` are of the copies.
    Needs torch 2.1.
    """

    def __init__(self, params: Any, *args: Any, **kwargs: Any):
        if not {"preset", "state", "weights"} & kwargs.keys():
            kwargs["preset"] = "b16"
        self._lanes = {}
        self._work, self._done = queue.SimpleQueue(), queue.SimpleQueue()
        self._waiting = 0  # updates that are not done
        needs_gradient_hooks("OffloadAdamW")
        super().__init__(params, *args, **kwargs)
        weakref.finalize(self, self._work.put, None)  # ends the thread
        self._thread = threading.Thread(target=_worker, args=(self._work, self._done), daemon=True)
        self._thread.start()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters of the model."""
        members = param_group["params"]
        members = [members] if isinstance(members, torch.Tensor) else list(members)
        copies = [(member[0], _copy(member[1])) if isinstance(member, tuple) else _copy(member) for member in members]
        super().add_param_group({**param_group, "params": copies})
        params = (member[1] if isinstance(member, tuple) else member for member in members)
        for param, copy in zip(params, self.param_groups[-1]["params"]):
            if copy is not param:
                self._lanes[copy] = _Lane(param, copy)
                param.register_post_accumulate_grad_hook(functools.partial(_send, weakref.ref(self), self._lanes[copy]))

    @torch.no_grad()
    def read_weights(self) -> None:
        """Takes over the weights of the model, after something else has changed them."""
        for copy, lane in self._lanes.items():
            copy.copy_(lane.param)

    def _receive(self, lane):  # in the thread
        with self._lock:
            if self._update(lane.copy, lane.gradient()):
                lane.send_back()

    def _await(self):
        errors, self._waiting = [self._done.get() for _ in range(self._waiting)], 0
        for lane in self._lanes.values():
            lane.wait()
        for error in filter(None, errors):
            self._engine.end()
            raise error

    def __getstate__(self):
        raise TypeError("OffloadAdamW works for the parameters of a model and cannot be pickled or copied: save state_dict()")


class _Lane:
    """The way of a parameter's gradient to its copy in CPU memory, and of the weight back."""

    def __init__(self, param, copy):
        self.param, self.copy, self._buffer = param, copy, _in_cpu_memory(param)
        # The module of the device, such as torch.cuda, has its streams; the CPU needs none.
        self._device = None if param.device.type == "cpu" else getattr(torch, param.device.type)
        if self._device:
            self._stream, self._arrived = self._device.Stream(param.device), self._device.Event()

    @torch.no_grad()
    def fetch(self):
        """Starts the gradient on its way, and frees it."""
        grad, self.param.grad = self.param.grad, None
        if not self._device:
            self._buffer.copy_(grad)
            return
        self._stream.wait_stream(self._device.current_stream(self.param.device))
        with self._device.stream(self._stream):
            self._buffer.copy_(grad, non_blocking=True)
            self._arrived.record()
        grad.record_stream(self._stream)

    def gradient(self):
        """Waits for the gradient."""
        if self._device:
            self._arrived.synchronize()
        return self._buffer

    @torch.no_grad()
    def send_back(self):
        """Starts the weight on its way."""
        if not self._device:
            self.param.copy_(self.copy)
            return
        with self._device.stream(self._stream):
            self.param.copy_(self.copy, non_blocking=True)

    def wait(self):
        """Lets the device go on when the weight is there."""
        if self._device:
            self._device.current_stream(self.param.device).wait_stream(self._stream)


def _in_cpu_memory(param):
    """Memory like that of a parameter, where a device can read and write it by itself."""
    return torch.empty_like(param, device="cpu", requires_grad=False, pin_memory=param.device.type != "cpu")


def _copy(param):
    """A parameter in CPU memory; a frozen one itself, which is not stepped."""
    return torch.nn.Parameter(_in_cpu_memory(param).copy_(param.detach())) if param.requires_grad else param


def _send(optimizer, lane, _):
    optimizer = optimizer()
    if optimizer is not None:  # which the model does not keep alive
        lane.fetch()
        optimizer._waiting += 1
        optimizer._work.put((optimizer._receive, lane))


def _worker(work, done):
    for call, lane in iter(work.get, None):
        try:
            done.put(call(lane))
        except Exception as error:
            done.put(error)
        del call, lane  # the last reference to the optimizer may be here
