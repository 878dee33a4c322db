# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The AdamW engine: updates parameters in CPU memory, in place, at the speed of that memory, with the same bits on
every machine.

    optimizer = adamant.AdamW({"w": w, "b": b}, lr=1e-3)
    optimizer.step({"w": w_grad, "b": b_grad})

There is a class for each rule of the library, and `RULES` knows them by name. docs/python.md shows the rest.
"""

from . import schedule
from ._checkpoints import CheckpointInfo, Checkpoints, CheckpointTensor, inspect, load, save, verify
from ._errors import (BusyError, DuplicateError, Error, InternalError, InvalidArgumentError, IoError, MismatchError,
                      NonFiniteError, NotFoundError, OutOfMemoryError)
from ._insight import (MOMENTS, Finding, Health, Moment, MomentInfo, Probe, RunLog, Statistics, TensorBoard,
                       TensorStatistics)
from ._library import c as _c
from ._optimizer import Optimizer, default_threads
from ._report import NonFinite, StepReport
from ._rules import RULES
from ._targets import current_target, targets, use_target
from ._views import Group, Settings, States

globals().update({rule.__name__: rule for rule in RULES.values()})
__version__ = _c.version().decode()
