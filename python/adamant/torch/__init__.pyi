# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Written by tools/make_python_stubs.
import collections.abc
import typing
from typing import Any

import torch

from ._optimizer import Optimizer as Optimizer
from ._optimizer import Release as Release
from ._optimizer import RULES as RULES

class AdamW(Optimizer, torch.optim.AdamW):
    def __init__(
        self,
        params: collections.abc.Iterable[torch.Tensor] | collections.abc.Iterable[dict[str, typing.Any]] | collections.abc.Iterable[tuple[str, torch.Tensor]],
        lr: float | torch.Tensor = 0.001,
        betas: tuple[float | torch.Tensor, float | torch.Tensor] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'propagate',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
    ) -> None:
        """
        torch.optim.AdamW, stepped by the library. Arguments are torch's, and settings:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; propagate by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
        """

class Adam(Optimizer, torch.optim.Adam):
    def __init__(
        self,
        params: collections.abc.Iterable[torch.Tensor] | collections.abc.Iterable[dict[str, typing.Any]] | collections.abc.Iterable[tuple[str, torch.Tensor]],
        lr: float | torch.Tensor = 0.001,
        betas: tuple[float | torch.Tensor, float | torch.Tensor] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'propagate',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
    ) -> None:
        """
        torch.optim.Adam, stepped by the library. Arguments are torch's, and settings:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; propagate by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
        """

class SGD(Optimizer, torch.optim.SGD):
    def __init__(
        self,
        params: collections.abc.Iterable[torch.Tensor] | collections.abc.Iterable[dict[str, typing.Any]] | collections.abc.Iterable[tuple[str, torch.Tensor]],
        lr: float | torch.Tensor = 0.001,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | torch.Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'propagate',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
    ) -> None:
        """
        torch.optim.SGD, stepped by the library. Arguments are torch's, and settings:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; propagate by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
        """

class RMSprop(Optimizer, torch.optim.RMSprop):
    def __init__(
        self,
        params: collections.abc.Iterable[torch.Tensor] | collections.abc.Iterable[dict[str, typing.Any]] | collections.abc.Iterable[tuple[str, torch.Tensor]],
        lr: float | torch.Tensor = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-08,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'propagate',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
    ) -> None:
        """
        torch.optim.RMSprop, stepped by the library. Arguments are torch's, and settings:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; propagate by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
        """

class Adagrad(Optimizer, torch.optim.Adagrad):
    def __init__(
        self,
        params: collections.abc.Iterable[torch.Tensor] | collections.abc.Iterable[dict[str, typing.Any]] | collections.abc.Iterable[tuple[str, torch.Tensor]],
        lr: float | torch.Tensor = 0.01,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        state: str = 'f32',
        weights: str = 'plain',
        seed: int = 0,
        nonfinite: str = 'propagate',
        max_norm: float | None = None,
        clip_value: float | None = None,
        report_norm: bool = False,
        threads: int = 0,
        preset: str | None = None,
    ) -> None:
        """
        torch.optim.Adagrad, stepped by the library. Arguments are torch's, and settings:

            state: f32, f64, bf16, f16, b16 or q8; f32 by default
            weights: plain, split16, split8 or dithered; plain by default
            seed: a whole number below 2^64; 0 by default
            nonfinite: skip, error or propagate; propagate by default
            max_norm: none or a finite f32 number > 0; none by default
            clip_value: none or a finite f32 number > 0, also after rounding to f32; none by default
            report_norm: true or false; false by default
            threads: 0, for all processors, to 1024; 0 by default
            preset: formats of states and weights, one of f32, b16, q8, q8-lite
        """

class OffloadAdamW(AdamW):
    def add_param_group(self, param_group: dict[str, Any]) -> None: ...
    def read_weights(self) -> None: ...
