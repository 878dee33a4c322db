# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Fine-tuning of a bf16 model on an accelerator, with weights and states of the optimizer in CPU memory. Without an
# accelerator the CPU is the device. Needs torch 2.1.
# Prints: the loss has fallen
# Prints: gradients left on the device: 0
import torch

import adamant.torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(16, 128), torch.nn.GELU(), torch.nn.Linear(128, 16))
model = model.to(device, torch.bfloat16)
optimizer = adamant.torch.OffloadAdamW(model.parameters(), lr=1e-3, max_norm=1.0)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)

losses, left = [], 0
for step in range(200):
    x = torch.randn(32, 16, device=device, dtype=torch.bfloat16)
    loss = (model(x) - x.roll(1, dims=1)).square().mean()
    loss.backward()  # each gradient goes to CPU memory, and the weight comes back
    left = max(left, sum(param.grad is not None for param in model.parameters()))
    optimizer.step()  # waits for the last of them
    scheduler.step()
    losses.append(loss.item())

print("the loss has fallen" if losses[-1] < losses[0] / 2 else f"losses {losses[0]:.3f} to {losses[-1]:.3f}")
print("gradients left on the device:", left)
