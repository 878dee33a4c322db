# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""A program that uses both interfaces, for types_test.py: what is marked must be wrong, and all else right."""

import numpy as np
import torch
from typing_extensions import assert_type

import adamant
import adamant.torch

w = np.ones(10, np.float32)
optimizer = adamant.AdamW({"w": w}, lr=1e-3, betas=(0.9, 0.99), max_norm=1.0, preset="b16")
report = optimizer.step([w], grad_scale=2.0)
assert_type(report, adamant.StepReport)
assert_type(report.grad_norm, float | None)
assert_type(optimizer.names, tuple[str, ...])
assert_type(optimizer.param_groups, list[adamant.Group])
assert_type(adamant.schedule.cosine(1e-3, 1, 10), float)
with adamant.RunLog("run.jsonl", optimizer) as log:
    log.step(0.5, report)
adamant.AdamW([w], lr="fast")  # type: ignore[arg-type]
adamant.AdamW([w], rate=1e-3)  # type: ignore[call-arg]
optimizer.stop()  # type: ignore[attr-defined]
report.grad_norm + 1  # type: ignore[operator]

model = torch.nn.Linear(10, 1)
ours = adamant.torch.AdamW(model.parameters(), lr=torch.tensor(1e-3), weight_decay=0.1, foreach=True, state="q8")
assert_type(ours, adamant.torch.AdamW)
assert_type(ours.report, adamant.StepReport | None)
assert_type(ours.release_gradients(), adamant.torch.Release)
assert_type(ours.settings["state"], object)  # type: ignore[assert-type]
theirs: torch.optim.AdamW = ours
scheduler = torch.optim.lr_scheduler.StepLR(adamant.torch.SGD(model.parameters(), 0.1, 0.9, nesterov=True), 10)
ours.step(lambda: 0.5, statistics=adamant.Statistics())
ours.step(grads=None)  # type: ignore[call-arg]
ours.load_state_dict(theirs.state_dict())
offload = adamant.torch.OffloadAdamW(model.parameters(), max_norm=1.0)
offload.read_weights()
adamant.torch.AdamW(model.parameters(), state=8)  # type: ignore[arg-type]
adamant.torch.RMSprop(model.parameters(), beta=0.9)  # type: ignore[call-arg]
ours.set_format(state="f32")  # type: ignore[attr-defined]
offload.write_weights()  # type: ignore[attr-defined]
