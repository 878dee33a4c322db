# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What one step did."""

from __future__ import annotations

from typing import NamedTuple

from . import _library


class NonFinite(NamedTuple):
    """The first gradient element that is not finite, and the number of such elements in all tensors."""

    tensor: str
    index: int
    count: int


class StepReport:
    """What one step did."""

    __slots__ = ("_names", "struct")

    def __init__(self, struct: _library.StepReport, names: list[str]):
        self.struct = struct
        self._names = names

    @property
    def applied(self) -> bool:
        """False if a gradient that is not finite made the step change nothing."""
        return bool(self.struct.applied)

    @property
    def grad_norm(self) -> float | None:
        """Global norm of the unscaled gradients before clipping, if it was computed (`max_norm` or `report_norm`)."""
        return self.struct.grad_norm if self.struct.has_grad_norm else None

    @property
    def clip_coefficient(self) -> float:
        """The factor that every gradient was multiplied by to clip the norm: 1 if nothing was clipped."""
        return self.struct.clip_coefficient

    @property
    def nonfinite(self) -> NonFinite | None:
        """Where a gradient is not finite, if one is."""
        if not self.struct.has_nonfinite:
            return None
        return NonFinite(self._names[self.struct.nonfinite_tensor], self.struct.nonfinite_element,
                         self.struct.nonfinite_count)

    def __repr__(self) -> str:
        return (f"StepReport(applied={self.applied}, grad_norm={self.grad_norm}, "
                f"clip_coefficient={self.clip_coefficient}, nonfinite={self.nonfinite})")
