# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What can be said about a run: statistics of the moments, run logs, TensorBoard, health checks."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from . import _library
from ._checks import count, filled, kind, known, number, path_bytes, text
from ._errors import InvalidArgumentError, IoError
from ._library import Light, List, StatisticsFlag, c
from ._optimizer import Optimizer, _one_at_a_time
from ._report import StepReport


class Moment(NamedTuple):
    """A statistic of the moments, with the lines to draw with it; NaN where there is none."""

    value: float
    noise: float
    """Value for noise alone."""
    bound: float
    """Cannot be exceeded."""
    low: float
    """The healthy range."""
    high: float


class Probe(NamedTuple):
    """One element that is followed: gradient, moments, update, weight."""

    element: int
    g: float
    m: float
    v: float
    u: float
    w: float


class TensorStatistics(NamedTuple):
    """One tensor in one step."""

    tensor: str
    step: int
    """Steps of this tensor, counted from 1."""
    elements: int
    """Number of elements in the sums."""
    sums: dict[str, float]
    moments: dict[str, Moment]
    bins: np.ndarray
    """Histogram of the root of v in the sample; bin 0 counts v = 0."""
    probes: list[Probe]


class Statistics:
    """Statistics of the moments, computed inside a step that is given them: `optimizer.step(statistics=statistics)`.

    observe_every: one in so many blocks of 256 elements is observed; 0: one in 32, but at least two blocks of each
        tensor, and about 64 of a large one.
    sample_every: blocks for the histogram; 0: one in 256. None: no histogram.
    probes: elements followed in each tensor. None: 8; 0: none.
    """

    def __init__(self, observe_every: int = 0, sample_every: int | None = 0, probes: int | None = None):
        flags = StatisticsFlag.NO_SAMPLE if sample_every is None else StatisticsFlag(0)
        if probes == 0:
            flags |= StatisticsFlag.NO_PROBES
        self._handle = _library.Handle(c.statistics_free)
        counts = {"observe_every": observe_every, "sample_every": sample_every, "probes": probes}
        given = {name: value for name, value in counts.items() if value is not None}
        c.statistics_create(_library.StatisticsOptions(**given, flags=flags), self._handle.place)
        self._optimizer = None

    def filled_by(self, optimizer: Optimizer) -> int:
        """The address for the engine, which fills these statistics in a step of this optimizer."""
        self._optimizer = optimizer
        return self._handle.address

    def __len__(self) -> int:
        """Number of tensors that the step updated; 0 if it was not applied."""
        number = ctypes.c_size_t()
        c.statistics_count(self._handle, number)
        return number.value

    def __getitem__(self, index: int) -> TensorStatistics:
        if not 0 <= index < len(self):
            raise IndexError(index)
        optimizer = self._optimizer
        with optimizer._lock:
            found = _library.TensorStatistics()
            c.statistics_get(self._handle, index, found)
            moments = _array(_library.Moment, len(MOMENTS))
            c.statistics_moments(self._handle, index, optimizer._handle, moments, len(moments))
            probe, probes = _library.Probe(), []
            for number in range(found.probe_count):
                c.statistics_probe(self._handle, index, number, probe)
                probes.append(Probe(probe.element, probe.g, probe.m, probe.v, probe.u, probe.w))
            return TensorStatistics(
                optimizer.names[found.tensor], found.step, found.elements,
                dict(zip(_SUMS, found.sums[: found.sum_count])),
                {name: Moment(m.value, m.noise, m.bound, m.low, m.high) for name, m in zip(MOMENTS, moments)},
                np.array(found.bins[: found.bin_count], np.uint32), probes)

    def __iter__(self) -> Iterator[TensorStatistics]:
        return (self[index] for index in range(len(self)))


class _OfRun(Statistics):
    """The statistics that a run log fills, which belong to it."""

    def __init__(self, log: _library.Handle):
        self._log = log
        self._handle = _library.Handle(lambda _: None)
        self._optimizer = None
        c.run_log_statistics(log, self._handle.place)


class _Told:
    """What is told of every step of an optimizer, and closed in the end."""

    def __init__(self, optimizer, free):
        self._optimizer = known(optimizer)
        self._lock = threading.RLock()
        self._handle = _library.Handle(free)

    def _open(self):
        if self._handle is None:
            raise InvalidArgumentError(f"this {type(self).__name__} is closed")
        return self._handle

    @_one_at_a_time
    def close(self) -> None:
        """Writes what is left, and closes the file. Nothing happens if it is closed."""
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class RunLog(_Told):
    """A file that describes every step of a run, which `python -m adamant report` shows.

        with RunLog("run.jsonl", optimizer, title="first", batch_size=32) as log:
            report = optimizer.step(grads, statistics=log.statistics)
            log.step(loss, report)

    every: logs every N-th step. flush_seconds: hands over to the system what is older than this; None: after each step.
    resume: what `position` said; the log of that path goes on from there, with its own title and notes, and what it has
        beyond that is cut off. Raises OSError if the path has another file, MismatchError if the log is of another run.
    notes: numbers and texts about the run.
    """

    def __init__(self, path: str | os.PathLike[str], optimizer: Optimizer, *, title: str | None = None, every: int = 1,
                 flush_seconds: float | None = 1.0, resume: str | None = None, **notes: float | str):
        super().__init__(optimizer, c.run_log_free)
        values = _library.values(notes)
        options = _library.RunLogOptions(title=text(title or None, "title"), notes=values, note_count=len(values),
                                         every=every, flush_seconds=_seconds(flush_seconds),
                                         resume=text(resume or None, "resume"))
        with optimizer._lock:
            c.run_log_open(path_bytes(path), optimizer._handle, options, self._handle.place)

    @property
    @_one_at_a_time
    def statistics(self) -> Statistics | None:
        """What the next step is to be given; None if that step is not to be logged."""
        statistics = _OfRun(self._open())
        return statistics if statistics._handle.address else None

    @_one_at_a_time
    def step(self, loss: float, report: StepReport) -> None:
        """Call after each step, with its report."""
        with self._optimizer._lock:
            c.run_log_step(self._open(), self._optimizer._handle, number(loss, "loss"), _struct(report))

    @_one_at_a_time
    def flush(self) -> None:
        """Hands over to the system what is buffered."""
        c.run_log_flush(self._open())

    @_one_at_a_time
    def close(self) -> None:
        """Writes what is left, and closes the file, once nobody has statistics of this log any more. Nothing happens if
        it is closed."""
        if self._handle is not None:
            with contextlib.suppress(IoError):
                self.flush()
        super().close()

    @_one_at_a_time
    def position(self) -> str:
        """Where the log is, after a flush that also outlasts a power cut: save it with a checkpoint of the optimizer, and
        pass it as `resume` when the run resumes from that.
        """
        position = ctypes.c_char_p()
        c.run_log_position(self._open(), position)
        return position.value.decode()

    @_one_at_a_time
    def end(self, **notes: float | str) -> None:
        """Writes the last line, with notes, and closes the file."""
        values = _library.values(notes)
        c.run_log_end(self._open(), values, len(values))
        self.close()

    def __exit__(self, *error):
        if self._handle is not None and error[0] is None:
            self.end()
        self.close()


class TensorBoard(_Told):
    """An event file for TensorBoard in a folder.

    max_tags: maximum number of tags in the file. tensors: names of those that are written one by one; None: all, if
    they fit. histogram_every: steps between histograms; 0: none. flush_seconds: as of `RunLog`.
    """

    def __init__(self, folder: str | os.PathLike[str], optimizer: Optimizer, *, max_tags: int = 100,
                 tensors: Iterable[str] | None = None, histogram_every: int = 64, flush_seconds: float | None = 1.0):
        super().__init__(optimizer, c.tensorboard_free)
        names = None if tensors is None else [text(name, "name of a tensor") for name in tensors]
        options = _library.TensorboardOptions(
            max_tags=max_tags,
            tensors=None if names is None else (ctypes.c_char_p * len(names))(*names), tensor_count=len(names or []),
            histogram_every=count(histogram_every, "histogram_every", most=2**63 - 1) or -1,
            flush_seconds=_seconds(flush_seconds))
        with optimizer._lock:
            c.tensorboard_open(path_bytes(folder), optimizer._handle, options, self._handle.place)

    @property
    @_one_at_a_time
    def path(self) -> str:
        """Path of the file."""
        path = ctypes.c_char_p()
        c.tensorboard_path(self._open(), path)
        return os.fsdecode(path.value)

    @_one_at_a_time
    def step(self, loss: float, report: StepReport, statistics: Statistics | None = None) -> None:
        """Call after each step, with its report and the statistics that it filled."""
        with self._optimizer._lock:
            c.tensorboard_step(self._open(), self._optimizer._handle, number(loss, "loss"), _struct(report),
                               filled(statistics, self._optimizer))

    @_one_at_a_time
    def flush(self) -> None:
        """Hands over to the system what is buffered."""
        c.tensorboard_flush(self._open())


class Finding(NamedTuple):
    """What the health checks found, in plain English."""

    light: str
    cause: str
    """"lr_too_high"."""
    severity: str
    """"yellow" or "red"."""
    sentence: str
    """What was measured."""
    advice: str
    """What helps."""
    tensor: str
    """Where it is worst; empty if it is the whole run."""
    more: int
    """Number of other tensors with the same finding."""
    step: int
    value: float
    """The measured value."""


class Health:
    """Finds what goes wrong in a run."""

    def __init__(self, optimizer: Optimizer):
        self._optimizer = known(optimizer)
        self._lock = threading.RLock()
        self._handle = _library.Handle(c.health_free)
        c.health_create(self._handle.place)

    @_one_at_a_time
    def step(self, loss: float, report: StepReport, statistics: Statistics | None = None) -> list[Finding]:
        """Call after each step, with its report and the statistics that it filled. Returns what was found in it."""
        before = self._count()
        with self._optimizer._lock:
            c.health_step(self._handle, self._optimizer._handle, number(loss, "loss"), _struct(report),
                          filled(statistics, self._optimizer))
        return [self._finding(index) for index in range(before, self._count())]

    @property
    @_one_at_a_time
    def findings(self) -> list[Finding]:
        """All findings so far, in the order in which they were found."""
        return [self._finding(index) for index in range(self._count())]

    @property
    @_one_at_a_time
    def lights(self) -> dict[str, str]:
        """The worst state so far of each light: "green", "yellow" or "red"."""
        state, found = ctypes.c_int32(), {}
        for index, name in enumerate(_library.names(List.LIGHTS)):
            c.health_light(self._handle, index, state)
            found[name] = Light(state.value).name.lower()
        return found

    def _count(self):
        number = ctypes.c_size_t()
        c.health_count(self._handle, number)
        return number.value

    def _finding(self, index):
        found = _library.Finding()
        c.health_get(self._handle, index, found)
        return Finding(found.light.decode(), found.cause.decode(), Light(found.severity).name.lower(),
                       found.sentence.decode(), found.advice.decode(), found.tensor.decode(), found.more, found.step,
                       found.value)


class MomentInfo(NamedTuple):
    """How to read a statistic of the moments."""

    title: str
    unit: str
    """"degrees", "octaves", "lr", "loss"; empty: a ratio."""
    question: str
    """The question that it answers."""
    formula: str
    reading: str
    """How to read a value."""


def _array(struct, count):
    return _library.array(struct, [struct() for _ in range(count)])


def _seconds(seconds):
    return -1.0 if seconds is None else number(seconds, "flush_seconds")


def _struct(report):
    if not isinstance(report, StepReport):
        raise InvalidArgumentError(f"the report is {kind(report)}: it must be the StepReport of a step")
    return report.struct


def _moments():
    info, found = _library.MomentInfo(), {}
    for index in range(_library.count(List.MOMENTS)):
        c.get_moment_info(index, info)
        found[info.name.decode()] = MomentInfo(*(getattr(info, field).decode() for field in MomentInfo._fields))
    return found


MOMENTS = _moments()
"""The statistics of a tensor, by name."""
_SUMS = _library.names(List.SUMS)
