# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Two processes of torchrun that train together, over gloo: the losses are those of torch.optim, and each process has its
share of the processors."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from torch_support import VERSION, TestCase, adamant, bits, torch

PROCESSES, STEPS = 2, 8
if VERSION < (2, 6):
    print(f"fully_shard came with torch 2.6: this is {torch.__version__}")
    sys.exit(77)


def train(wrap, rule, **options):
    """Losses of all processes, and the parameters that this one holds."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(20, 33), torch.nn.Tanh(), torch.nn.Linear(33, 3))
    model = wrap(model)
    optimizer = rule(model.parameters(), lr=0.01, weight_decay=0.1, **options)
    inputs = torch.randn(16, 20, generator=torch.Generator().manual_seed(torch.distributed.get_rank()))
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (model(inputs) - inputs[:, :3]).square().mean()
        loss.backward()
        optimizer.step()
        total = loss.detach().clone()
        torch.distributed.all_reduce(total)
        losses.append(total.item() / PROCESSES)
    return losses, [getattr(param, "to_local", lambda param=param: param)() for param in model.parameters()]


def sharded(model):
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import init_device_mesh

    mesh = init_device_mesh("cpu", (PROCESSES,))
    for part in (model[0], model[2], model):
        fully_shard(part, mesh=mesh)
    return model


WRAPS = {"DDP": torch.nn.parallel.DistributedDataParallel, "FSDP2": sharded}


def process(folder):
    """What each process does: it writes what it has found into a file."""
    torch.distributed.init_process_group("gloo")
    found = {"threads": adamant.torch.AdamW([torch.nn.Parameter(torch.ones(1))]).settings["threads"],
             "environment": {name: os.environ.get(name) for name in ("LOCAL_WORLD_SIZE", "OMP_NUM_THREADS")}}
    for name, wrap in WRAPS.items():
        found[name] = {}
        for who, rule in (("ours", adamant.torch.AdamW), ("theirs", torch.optim.AdamW)):
            losses, params = train(wrap, rule)
            found[name][who] = {"losses": losses, "bits": bits(params), "elements": sum(p.numel() for p in params),
                                "sum": sum(param.double().sum().item() for param in params)}
    rank = torch.distributed.get_rank()
    pathlib.Path(folder, f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()
    # At the end of a process whose threads are slow to end, torch 2.13 calls std::terminate now and then, without Adamant
    # too.
    sys.stdout.flush()
    os._exit(0)


class Processes(TestCase):
    @classmethod
    def setUpClass(cls):
        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone",
                                  f"--nproc_per_node={PROCESSES}", __file__, "process", folder],
                                 env=environment, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
            cls.found = [json.loads(pathlib.Path(folder, f"{rank}.json").read_text()) for rank in range(PROCESSES)]

    def same_losses(self, name):
        for found in self.found:
            ours, theirs = found[name]["ours"], found[name]["theirs"]
            for one, other in zip(ours["losses"], theirs["losses"]):
                self.assertAlmostEqual(one, other, delta=1e-5 * other)
            self.assertLess(ours["losses"][-1], 0.9 * ours["losses"][0])
            self.assertAlmostEqual(ours["sum"], theirs["sum"], delta=1e-4)
            self.assertEqual(ours["elements"], theirs["elements"])

    def test_data_parallel(self):
        self.same_losses("DDP")
        one, other = (found["DDP"]["ours"] for found in self.found)
        self.assertEqual(one["bits"], other["bits"])

    def test_fully_sharded(self):
        self.same_losses("FSDP2")
        elements = [found["FSDP2"]["ours"]["elements"] for found in self.found]
        self.assertEqual(sum(elements), 20 * 33 + 33 + 33 * 3 + 3)
        self.assertLess(max(elements), sum(elements))

    def test_each_has_its_share_of_the_processors(self):
        share = max(1, len(os.sched_getaffinity(0)) // PROCESSES)
        for found in self.found:
            self.assertEqual(found["environment"], {"LOCAL_WORLD_SIZE": str(PROCESSES), "OMP_NUM_THREADS": "1"})
            self.assertEqual(found["threads"], share)


if __name__ == "__main__":
    if sys.argv[1:2] == ["process"]:
        process(sys.argv[2])
    else:
        unittest.main()
