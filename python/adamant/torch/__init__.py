# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""torch.optim's optimizers for parameters in CPU memory, stepped by the library.

    optimizer = adamant.torch.AdamW(model.parameters(), lr=1e-3)

There is a class for each rule of the library that torch has too. docs/torch.md shows the rest.
"""

from ._offload import OffloadAdamW
from ._optimizer import RULES, Optimizer, Release

globals().update({rule.__name__: rule for rule in RULES.values()})
