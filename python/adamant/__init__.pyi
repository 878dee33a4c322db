# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Written by tools/make_python_stubs.
from typing import Any

from . import schedule as schedule
from ._checkpoints import CheckpointInfo as CheckpointInfo
from ._checkpoints import CheckpointTensor as CheckpointTensor
from ._checkpoints import Checkpoints as Checkpoints
from ._checkpoints import inspect as inspect
from ._checkpoints import load as load
from ._checkpoints import save as save
from ._checkpoints import verify as verify
from ._errors import BusyError as BusyError
from ._errors import DuplicateError as DuplicateError
from ._errors import Error as Error
from ._errors import InternalError as InternalError
from ._errors import InvalidArgumentError as InvalidArgumentError
from ._errors import IoError as IoError
from ._errors import MismatchError as MismatchError
from ._errors import NonFiniteError as NonFiniteError
from ._errors import NotFoundError as NotFoundError
from ._errors import OutOfMemoryError as OutOfMemoryError
from ._insight import Finding as Finding
from ._insight import Health as Health
from ._insight import Moment as Moment
from ._insight import MomentInfo as MomentInfo
from ._insight import Probe as Probe
from ._insight import RunLog as RunLog
from ._insight import Statistics as Statistics
from ._insight import TensorBoard as TensorBoard
from ._insight import TensorStatistics as TensorStatistics
from ._optimizer import Optimizer as Optimizer
from ._optimizer import default_threads as default_threads
from ._report import NonFinite as NonFinite
from ._report import StepReport as StepReport
from ._targets import current_target as current_target
from ._targets import targets as targets
from ._targets import use_target as use_target
from ._views import Group as Group
from ._views import Settings as Settings
from ._views import States as States
from ._insight import MOMENTS as MOMENTS
from ._rules import RULES as RULES

__version__: str

class AdamW(Optimizer):
    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        maximize: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'skip',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
        format: str | None = None,
    ) -> None:
        """
        The rule AdamW, on arrays in place. `Optimizer` says what `params` is.

        Options, which each group can set:

            lr: a finite f32 number >= 0; 0.001 by default
            betas: in [0, 1), also after rounding to f32; (0.9, 0.999) by default
            eps: 0 or at least 2^-126, the smallest normal f32; 1e-08 by default
            weight_decay: a finite f32 number >= 0; 0.01 by default
            amsgrad: true or false; false by default
            maximize: true or false; false by default

        Settings of the optimizer:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; skip by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
            format: "bf16" reads uint16 arrays as bfloat16
        """

class Adam(Optimizer):
    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'skip',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
        format: str | None = None,
    ) -> None:
        """
        The rule Adam, on arrays in place. `Optimizer` says what `params` is.

        Options, which each group can set:

            lr: a finite f32 number >= 0; 0.001 by default
            betas: in [0, 1), also after rounding to f32; (0.9, 0.999) by default
            eps: 0 or at least 2^-126, the smallest normal f32; 1e-08 by default
            weight_decay: a finite f32 number >= 0; 0 by default
            amsgrad: true or false; false by default
            maximize: true or false; false by default

        Settings of the optimizer:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; skip by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
            format: "bf16" reads uint16 arrays as bfloat16
        """

class SGD(Optimizer):
    def __init__(
        self,
        params: Any,
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'skip',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
        format: str | None = None,
    ) -> None:
        """
        The rule SGD, on arrays in place. `Optimizer` says what `params` is.

        Options, which each group can set:

            lr: a finite f32 number >= 0; 0.001 by default
            momentum: a finite f32 number >= 0; 0 by default
            dampening: a finite f32 number; 0 by default
            weight_decay: a finite f32 number >= 0; 0 by default
            nesterov: true or false; false by default
            maximize: true or false; false by default

        Settings of the optimizer:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; skip by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
            format: "bf16" reads uint16 arrays as bfloat16
        """

class RMSprop(Optimizer):
    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        alpha: float = 0.99,
        momentum: float = 0.0,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'skip',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
        format: str | None = None,
    ) -> None:
        """
        The rule RMSprop, on arrays in place. `Optimizer` says what `params` is.

        Options, which each group can set:

            lr: a finite f32 number >= 0; 0.01 by default
            alpha: in [0, 1), also after rounding to f32; 0.99 by default
            momentum: a finite f32 number >= 0; 0 by default
            eps: 0 or at least 2^-126, the smallest normal f32; 1e-08 by default
            weight_decay: a finite f32 number >= 0; 0 by default
            centered: true or false; false by default
            maximize: true or false; false by default

        Settings of the optimizer:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; skip by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
            format: "bf16" reads uint16 arrays as bfloat16
        """

class Adagrad(Optimizer):
    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        lr_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        maximize: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'skip',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
        format: str | None = None,
    ) -> None:
        """
        The rule Adagrad, on arrays in place. `Optimizer` says what `params` is.

        Options, which each group can set:

            lr: a finite f32 number >= 0; 0.01 by default
            eps: 0 or at least 2^-126, the smallest normal f32; 1e-10 by default
            weight_decay: a finite f32 number >= 0; 0 by default
            lr_decay: a finite f32 number >= 0; 0 by default
            initial_accumulator_value: a finite f32 number >= 0; 0 by default
            maximize: true or false; false by default

        Settings of the optimizer:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; skip by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
            format: "bf16" reads uint16 arrays as bfloat16
        """
