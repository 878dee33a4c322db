# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# torch.optim.AdamW and adamant.torch.AdamW train the same model, and end with the same loss.
# Prints: torch.optim.AdamW: loss 0.019
# Prints: adamant.torch.AdamW: loss 0.019
import torch

import adamant.torch

for AdamW in (torch.optim.AdamW, adamant.torch.AdamW):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
    optimizer = AdamW(model.parameters(), lr=1e-2)
    for step in range(300):
        x = torch.randn(64, 2)
        loss = (model(x) - x.prod(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{AdamW.__module__.replace('.adamw', '')}.AdamW: loss {loss.item():.3f}")
