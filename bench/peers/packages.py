# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The packages of the peers, in a virtual environment of their own. Each is installed by itself, so that one that
cannot be had costs only its own peers; none brings another torch."""

import os
import re
import subprocess
import sys

from records import ROOT

VENV = ROOT / "build/peers-venv"
PYTHON = VENV / "bin/python"
# Of packages that are installed without what they depend on, since that includes torch.
LIGHT = ["packaging", "einops", "hjson", "msgpack", "psutil", "py-cpuinfo", "pydantic", "tqdm"]

# By the name of the package: the calls of pip install, each with its arguments.
PACKAGES = {
    "numpy": [["numpy", "ml_dtypes"]],
    "torch": [["setuptools", "ninja", "{torch}"]],
    "deepspeed": [LIGHT, ["--no-deps", "deepspeed"]],
    "bitsandbytes": [["packaging"], ["--no-deps", "bitsandbytes"]],
    "bitsandbytes-cpu-fork": [["packaging"],
                              ["--no-deps", "--upgrade", "--target", "{folder}", "bitsandbytes-cpu-fork"]],
    "torchao": [["--no-deps", "torchao"]],
    "optax": [["jax", "jaxlib", "optax"]],
}


def folder(package):
    """Where a package lies that has the modules of another one, and so must not lie beside it."""
    return VENV / package


def environment(package):
    """Of a process that measures the peers of this package."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
                 "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))), "DS_ACCELERATOR": "cpu", "DS_BUILD_OPS": "0",
                 "TORCH_EXTENSIONS_DIR": str(VENV / "extensions"), "TORCHINDUCTOR_CACHE_DIR": str(VENV / "inductor")}
    if folder(package).is_dir():
        variables["PYTHONPATH"] = f"{folder(package)}:{variables['PYTHONPATH']}"
    return variables


def has_pip():
    return PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def make_venv():
    """Without the module venv, the virtualenv of pip serves."""
    for module in ("venv", "virtualenv"):
        if not has_pip():
            subprocess.run([sys.executable, "-m", module, VENV], capture_output=True)
    if not has_pip():
        sys.exit(f"{VENV} cannot be made: this Python has neither venv nor virtualenv")


def reason(said):
    """Why pip failed, in a few words."""
    if re.search(r"Failed to establish|Temporary failure|Connection (refused|broken)|Max retries", said):
        return "the package index cannot be reached"
    if "No matching distribution" in said:
        return "the package index has nothing for this Python and system"
    if re.search(r"Failed building wheel|Failed to build|metadata-generation-failed|subprocess-exited", said):
        return "its wheel cannot be built here"
    return (said.strip().splitlines() or ["pip failed"])[-1]


def install(package, torch):
    """None, or why the package cannot be had. `torch` is what pip installs for PyTorch."""
    for arguments in PACKAGES[package]:
        filled = [each.format(torch=torch, folder=folder(package)) for each in arguments]
        done = subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *filled],
                              capture_output=True, text=True, env={**os.environ, "DS_BUILD_OPS": "0"})
        if done.returncode:
            return reason(done.stderr)
    return None
