# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The PyTorch of this machine still computes what tests/data/torch_golden.json says. Status 77, skipped, without one."""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
GOLDEN = ROOT / "tests/data/torch_golden.json"
SKIPPED = 77
# Another processor or another torch rounds differently; a difference in meaning is far larger.
TOLERANCE = {"f64": 1e-12, "f32": 1e-5}


def size(values):
    return max((abs(v) for v in values if isinstance(v, float)), default=0.0)


def differences(golden, live, tolerance, path=""):
    """Paths of what differs: numbers of a list by more than a share of its largest, everything else at all."""
    if isinstance(golden, dict) and isinstance(live, dict):
        if golden.keys() != live.keys():
            yield f"{path}: {sorted(golden)} and {sorted(live)}"
            return
        for key in golden:
            yield from differences(golden[key], live[key], tolerance, f"{path}/{key}")
    elif isinstance(golden, list) and isinstance(live, list) and len(golden) == len(live):
        for i, pair in enumerate(zip(golden, live)):
            if all(isinstance(number, float) for number in pair):
                if not math.isclose(*pair, rel_tol=0.0, abs_tol=tolerance * size(golden)):
                    yield f"{path}/{i}: {pair[0]} and {pair[1]}"
            else:
                yield from differences(*pair, tolerance, f"{path}/{i}")
    elif golden != live:
        yield f"{path}: {golden} and {live}"


def main():
    try:
        import torch
    except ImportError as error:
        print(f"skipped: {error}")
        return SKIPPED
    print(f"torch {torch.__version__}")
    if not hasattr(torch.optim.Optimizer, "register_step_pre_hook"):
        print(f"skipped: torch {torch.__version__} is older than 2.1, which the golden file is made with")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "golden.json"
        subprocess.run([sys.executable, ROOT / "tools/make_torch_golden", file], check=True)
        golden, live = json.loads(GOLDEN.read_text()), json.loads(file.read_text())
    # It may be another version, if only it computes the same.
    del golden["torch"], live["torch"]
    found = list(differences({k: golden[k] for k in ("defaults", "schedules")},
                             {k: live[k] for k in ("defaults", "schedules")}, TOLERANCE["f64"]))
    named = [{f"{case['name']} {case['format']}": case for case in side["cases"]} for side in (golden, live)]
    if named[0].keys() != named[1].keys():
        found.append(f"cases: {sorted(named[0].keys() ^ named[1].keys())} in only one")
    for name in named[0].keys() & named[1].keys():
        found += differences(named[0][name], named[1][name], TOLERANCE[named[0][name]["format"]], name)
    print("\n".join(found) or f"{len(named[0])} runs agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
