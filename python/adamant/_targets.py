# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The instruction sets that the engine can use. The results never depend on them."""

from __future__ import annotations

import ctypes

from . import _library
from ._checks import text
from ._library import List, c


def targets() -> list[str]:
    """Instruction sets of this build and CPU, best first."""
    return _library.names(List.TARGETS)


def current_target() -> str:
    """The one in use."""
    name = ctypes.c_char_p()
    c.current_target(name)
    return name.value.decode()


def use_target(name: str | None) -> None:
    """Makes all optimizers of the process use that one; None: the best. Not while a step runs."""
    c.use_target(text(name, "target"))
