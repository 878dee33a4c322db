# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The command `adamant bench`.

    cli_bench_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv[1:]
KEYS = {"rule", "param", "grad", "state", "weights", "workload", "threads", "policy", "tensors", "params",
        "ns_per_param", "bytes_per_param", "allocated_bytes_per_param", "gb_per_s", "ceiling_ratio",
        "ceiling_ns_per_param", "rounds", "min_ns", "median_ns", "max_ns"}
RIVALS = {"plain_ns_per_param", "unfused_ns_per_param", "naive_ns_per_param"}


def run(*arguments):
    return subprocess.run([*PROGRAM, "bench", *arguments], capture_output=True, text=True)


def results_of(*arguments):
    done = run("--json", "--rounds", "2", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)["results"]


class Json(unittest.TestCase):
    def test_keys_and_how_they_hang_together(self):
        (result,) = results_of("--rules", "adamw", "--workload", "cache", "--threads", "1", "--size", "1000")
        self.assertEqual(set(result), KEYS | RIVALS)
        self.assertEqual([result[key] for key in ("rule", "param", "grad", "state", "workload", "threads", "policy",
                                                  "tensors", "params", "bytes_per_param", "rounds")],
                         ["adamw", "f32", "f32", "f32", "cache", 1, "propagate", 1, 1000, 28, 2])
        self.assertTrue(0 < result["min_ns"] <= result["median_ns"] <= result["max_ns"])
        self.assertAlmostEqual(result["ns_per_param"], result["median_ns"] / 1000)
        self.assertAlmostEqual(result["gb_per_s"], 28 / result["ns_per_param"])
        self.assertAlmostEqual(result["ceiling_ratio"], result["ceiling_ns_per_param"] / result["ns_per_param"])
        self.assertTrue(all(result[key] > 0 for key in RIVALS))

    def test_machine(self):
        machine = json.loads(run("--json", "--rules", "sgd", "--workload", "cache", "--size", "64", "--threads", "1",
                                 "--rounds", "1").stdout)["machine"]
        self.assertEqual(set(machine), {"cpu", "threads", "caches", "compiler", "target", "version"})

    def test_target(self):
        known = json.loads(subprocess.run([*PROGRAM, "targets", "--json"], capture_output=True, text=True).stdout)
        for target in known["targets"]:
            done = run("--json", "--rules", "sgd", "--workload", "cache", "--size", "64", "--threads", "1", "--rounds",
                       "1", "--target", target)
            self.assertEqual(json.loads(done.stdout)["machine"]["target"], target)
        done = run("--target", "MMX")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertTrue(done.stderr.startswith("adamant bench: unknown instruction set 'MMX': "), done.stderr)

    def test_bytes(self):
        def bytes_of(*arguments):
            return [r["bytes_per_param"]
                    for r in results_of("--workload", "cache", "--threads", "1", "--size", "4099", *arguments)]

        self.assertEqual(bytes_of("--rules", "adamw", "--policy", "propagate,skip,error"), [28, 32, 32])
        self.assertEqual(bytes_of("--rules", "adamw", "--max-norm", "1"), [32])
        self.assertEqual(bytes_of("--rules", "adamw", "--amsgrad"), [36])
        self.assertEqual(bytes_of("--param", "bf16", "--state", "f32,bf16"), [22, 14])
        self.assertEqual(bytes_of("--param", "f32", "--grad", "bf16"), [26])
        self.assertEqual(bytes_of("--param", "bf16", "--state", "b16,q8", "--weights", "split16,split8"),
                         [18, 16, 14, 12])
        self.assertEqual(bytes_of("--param", "f64"), [56])
        self.assertEqual(bytes_of("--rules", "sgd,rmsprop,adagrad"), [12, 20, 20])
        self.assertEqual(bytes_of("--rules", "sgd", "--momentum", "0.9"), [20])
        self.assertEqual(bytes_of("--rules", "rmsprop", "--set", "momentum=0.9", "--set", "centered=true"), [36])

    def test_options(self):
        (result,) = results_of("--rules", "sgd", "--set", "momentum=0.9", "--set", "nesterov=true", "--workload", "cache",
                               "--size", "1000", "--threads", "1")
        self.assertEqual(result["options"], {"momentum": 0.9, "nesterov": True})

    def test_a_look_is_compared_with_the_bare_step(self):
        (result,) = results_of("--rules", "adam", "--policy", "skip", "--grad-scale", "4", "--workload", "cache",
                               "--size", "1000", "--threads", "1")
        self.assertEqual(set(result), KEYS | {"bare_ns_per_param", "grad_scale"})

    def test_compact_formats_are_compared_with_f32(self):
        (result,) = results_of("--param", "bf16", "--state", "q8", "--weights", "split8", "--workload", "cache",
                               "--size", "131072", "--threads", "1")
        self.assertEqual(set(result), KEYS | {"f32_ns_per_param"})
        self.assertEqual(result["weights"], "split8")
        # 2 + 1 for the weight, 2 for the moments, an exponent for each 128, and less than 1 KiB of bookkeeping.
        self.assertTrue(5 + 1 / 128 <= result["allocated_bytes_per_param"] < 5 + 1 / 128 + 1024 / 131072)

    def test_many_tensors_are_compared_with_one(self):
        (result,) = results_of("--rules", "sgd", "--workload", "many", "--size", "3", "--threads", "0")
        self.assertEqual(set(result), KEYS | {"one_tensor_ns_per_param"})
        self.assertEqual((result["tensors"], result["params"]), (1000, 3000))

    def test_statistics_are_compared_with_passes_after_the_step(self):
        statistics = {"sums_ns_per_param", "statistics_ns_per_param"}
        peers = {"composer_ns_per_param", "olmo_ns_per_param"}
        one, many = results_of("--rules", "adamw", "--statistics", "--workload", "cache,many", "--size", "5000",
                               "--threads", "1")
        self.assertEqual(set(one), KEYS | RIVALS | statistics | peers)
        self.assertEqual(set(many), KEYS | RIVALS | statistics | peers | {"one_tensor_ns_per_param"})
        for result in one, many:
            self.assertTrue(all(result[key] > 0 for key in statistics | peers))
        (narrow,) = results_of("--param", "bf16", "--observe-every", "4", "--workload", "cache", "--size", "1000",
                               "--threads", "1")
        self.assertEqual(set(narrow), KEYS | statistics, "the peers are f32 loops")

    def test_what_is_measured_where_nothing_is_chosen(self):
        results = results_of("--workload", "cache", "--size", "4096", "--threads", "1")
        self.assertEqual([f"{r['rule']} {r['param']} {r['weights']} {r['grad']} {r['state']}" for r in results],
                         ["adamw f32 plain f32 f32", "adamw bf16 plain bf16 f32", "adamw bf16 plain bf16 bf16",
                          "adamw f16 plain f16 f16", "adamw bf16 split16 bf16 f32", "adamw bf16 split8 bf16 b16",
                          "adamw bf16 split8 bf16 q8", "adamw bf16 dithered bf16 q8", "adam f32 plain f32 f32",
                          "sgd f32 plain f32 f32", "rmsprop f32 plain f32 f32", "adagrad f32 plain f32 f32"])


class Table(unittest.TestCase):
    def test_lines(self):
        done = run("--rules", "adamw", "--workload", "cache", "--threads", "1", "--size", "1000", "--rounds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""), "no progress line where there is no terminal")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[4], "cache: 1000 parameters, 1 thread")
        self.assertEqual(lines[5].split()[:7], ["rule", "p/g/states", "policy", "ns/param", "bytes", "GB/s", "ceiling"])
        self.assertEqual(lines[6].split()[:3], ["adamw", "f32/f32/f32", "propagate"])
        for rival in ("plain kernel", "8 passes", "naive -O2"):
            self.assertIn(rival, lines[6])

    def test_statistics(self):
        done = run("--rules", "adamw", "--statistics", "--workload", "cache", "--threads", "1", "--size", "1000",
                   "--rounds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"with sums \d.*, with statistics \d.*, Composer-style \d.*, OLMo-style \d")


class Refusals(unittest.TestCase):
    def test_usage(self):
        for arguments, text in (
            (("--param", "f33"), "--param: 'f33' is not known: must be one of f32, f64, bf16, f16"),
            (("--workload", "l2"), "--workload: 'l2' is not known: must be one of cache, l3, dram, many"),
            (("--policy", "hope"), "--policy: 'hope' is not known: must be one of propagate, skip, error"),
            (("--threads", "two"), "--threads: 'two' is not a whole number"),
            (("--size", "0"), "--size: '0' must be from 1 to 1099511627776"),
            (("--seconds", "0"), "--seconds: '0' must be greater than 0"),
            (("--max-norm", "-1"), "--max-norm: '-1' must be greater than 0"),
            (("--param", "f64", "--state", "f32"),
             "state format f32 with parameter format f64: f64 parameters, and only they, have f64 states"),
            (("--param", "bf16", "--state", "q8", "--size", "4095"),
             "size 4095 with state format q8 and weight format plain: tensors of fewer than 4096 elements are not kept "
             "in compact formats"),
            (("--weights", "split8"),
             "weight format split8 with parameter format f32: only bf16 parameters have bits below them"),
            (("--rules", "sgd", "--momentum", "0.9", "--set", "momentum=0.8"), "--set: 'momentum' is given twice"),
            (("--rules", "sgd", "--set", "momentum=-1"),
             "Invalid momentum value: -1 (momentum must be a finite f32 number >= 0)"),
            (("--rules", "adamw", "--momentum", "0.9"),
             "AdamW has no option momentum (0.9 given); it has lr, betas, eps, weight_decay, amsgrad, maximize"),
        ):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", f"adamant bench: {text}\n"))
        done = run("--rules", "bogus")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\Aadamant bench: --rules: 'bogus' is not known: must be one of adamw, adam, sgd, rmsprop, adagrad[a-z, ]*\n\Z")

    def test_more_memory_than_there_is(self):
        done = run("--rules", "adamw", "--workload", "dram", "--size", str(1 << 40), "--threads", "1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^adamant bench: workload dram of 1099511627776 parameters needs 28 TiB of memory, "
                                      r"but \d.* are available\n$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
