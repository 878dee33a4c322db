# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints: everything that an optimizer knows, in safetensors files that are complete or not there."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import _library
from ._checks import count, known, path_bytes
from ._errors import InvalidArgumentError
from ._library import STATE_FORMATS, WEIGHT_FORMATS, c
from ._optimizer import Optimizer, _one_at_a_time


class CheckpointTensor(NamedTuple):
    """A tensor of a checkpoint."""

    shape: tuple[int, ...]
    group: int
    step: int
    """Steps that it has taken."""
    state_format: str
    weight_format: str


class CheckpointInfo(NamedTuple):
    """What a checkpoint contains."""

    steps: int
    metadata: dict[str, str]
    params: bool
    """Whether it has the parameters."""
    state_format: str
    weight_format: str
    groups: list[dict[str, Any]]
    """Of each its rule, formula and options."""
    tensors: dict[str, CheckpointTensor]
    files: list[str]
    bytes: int
    """Of all files."""


def save(optimizer: Optimizer, path: str | os.PathLike[str], *, params: bool = False,
         metadata: Mapping[str, str] | None = None, max_file_bytes: int = 0) -> None:
    """Writes what the optimizer knows to a file in the safetensors format. Until the new file is on the disk, the old
    one of that path stays.

    params: writes the parameters, too.
    metadata: texts of yours that go with the state: `{"epoch": "3"}`.
    max_file_bytes: tensors beyond it go to further files beside it; 0: one file.
    """
    values = _metadata(metadata)
    options = _library.SaveOptions(metadata=values, metadata_count=len(values), max_file_bytes=max_file_bytes,
                                   params=params)
    with known(optimizer)._lock:
        optimizer._before_saving()
        c.save(optimizer._handle, path_bytes(path), options)


def load(optimizer: Optimizer, path: str | os.PathLike[str], *, params: bool = False,
         round: bool = False) -> CheckpointInfo:
    """Takes over a checkpoint that `save` wrote: options, step counts, seed and states. Everything is read and checked
    first; what is refused changes nothing.

    params: reads the parameters, too, into the arrays of the optimizer.
    round: converts states and weights of another format also where that rounds, not only where it is exact.
    """
    info = _library.CheckpointInfo()
    encoded = path_bytes(path)
    with known(optimizer)._lock:
        c.inspect(encoded, info)
        optimizer._before_loading(_read_info(info))
        c.load_file(optimizer._handle, encoded, _library.LoadOptions(params=params, round=round), info)
        loaded = _read_info(info)
        optimizer._after_loading(loaded)
    return loaded


def inspect(path: str | os.PathLike[str]) -> CheckpointInfo:
    """Describes a checkpoint without reading its states."""
    info = _library.CheckpointInfo()
    c.inspect(path_bytes(path), info)
    return _read_info(info)


def verify(path: str | os.PathLike[str]) -> None:
    """Reads all files of a checkpoint and compares their checksums. Raises `IoError` where one is damaged."""
    c.verify(path_bytes(path))


class Checkpoints:
    """The checkpoints of a run in a folder of their own, "step-000000001000.safetensors". Makes the folder.

    keep: as many stay; older ones are removed once a newer one is on the disk.
    params, max_file_bytes: as in `save`.

    Calls may come from any thread; they wait for each other.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2, *, params: bool = False,
                 max_file_bytes: int = 0):
        self._folder = os.fspath(folder)
        self._lock = threading.RLock()
        self._handle = _library.Handle(c.checkpoints_free)
        c.checkpoints_open(path_bytes(folder), _library.CheckpointsOptions(
            keep=count(keep, "keep", 1), params=params, max_file_bytes=max_file_bytes), self._handle.place)

    @_one_at_a_time
    def save(self, optimizer: Optimizer, metadata: Mapping[str, str] | None = None, *, background: bool = False) -> None:
        """Saves one, named by the steps of the optimizer, and removes the oldest.

        background: copies the state and writes it while the run goes on; the next call raises what went wrong.
        """
        values = _metadata(metadata)
        with known(optimizer)._lock:
            optimizer._before_saving()
            c.checkpoints_save(self._handle, optimizer._handle, values, len(values), background)

    @_one_at_a_time
    def wait(self) -> None:
        """Waits until all is written, and raises what went wrong."""
        c.checkpoints_wait(self._handle)

    @_one_at_a_time
    def list(self) -> dict[int, str]:
        """Path of each by its steps, oldest first."""
        steps, count = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
        c.checkpoints_list(self._handle, steps, count)
        return {step: os.path.join(self._folder, f"step-{step:012d}.safetensors") for step in steps[: count.value]}

    @_one_at_a_time
    def load_newest(self, optimizer: Optimizer, *, params: bool = False, round: bool = False) -> CheckpointInfo | None:
        """Loads the newest, as `load` does; None if there is none."""
        known(optimizer)
        self.wait()
        paths = list(self.list().values())
        return load(optimizer, paths[-1], params=params, round=round) if paths else None

    @_one_at_a_time
    def remove_after(self, steps: int) -> None:
        """Removes those of more steps, so that a run can go on from an older one."""
        c.checkpoints_remove_after(self._handle, count(steps, "steps"))


def _metadata(metadata):
    for name, text in (metadata or {}).items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise InvalidArgumentError(f"metadata {name!r} is {text!r}: names and values must be str")
    return _library.values(metadata or {})


def _read_info(info):
    groups = [{"rule": group.rule.decode(), "formula": group.formula.decode(),
               "options": {value.name.decode(): _library.read(value) for value in group.options[: group.option_count]}}
              for group in info.groups[: info.group_count]]
    tensors = {tensor.name.decode(): CheckpointTensor(
        tuple(tensor.shape[: tensor.ndim]), tensor.group, tensor.step, STATE_FORMATS[tensor.state_format],
        WEIGHT_FORMATS[tensor.weight_format]) for tensor in info.tensors[: info.tensor_count]}
    return CheckpointInfo(
        info.steps, {value.name.decode(): value.text.decode() for value in info.metadata[: info.metadata_count]},
        bool(info.params), STATE_FORMATS[info.state_format], WEIGHT_FORMATS[info.weight_format], groups, tensors,
        [os.fsdecode(path) for path in info.files[: info.file_count]], info.bytes)
