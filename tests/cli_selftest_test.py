# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The commands `adamant selftest` and `adamant targets`, and the statuses of the program.

    cli_selftest_test.py PROGRAM...    PROGRAM may be an emulator and its program
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = sys.argv[1:]
ROOT = pathlib.Path(__file__).parents[1]
GOLDEN = (ROOT / "cli" / "selftest_golden.inc").read_text()
CASES = [int(hash, 16) for hash in re.findall(r'^\{"\S+", 0x([0-9a-f]{16})u\},$', GOLDEN, re.MULTILINE)]


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


TOGETHER = f"{fnv1a(b''.join(hash.to_bytes(8, 'little') for hash in CASES)):016x}"


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True)


class Selftest(unittest.TestCase):
    def test_every_instruction_set_has_the_golden_bits(self):
        done = run("selftest")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        targets = run("targets").stdout.replace(" (in use)", "").splitlines()
        expected = [f"{target:<10} {TOGETHER}  {len(CASES)} of {len(CASES)} cases have the golden bits"
                    for target in targets]
        self.assertEqual(done.stdout.splitlines(), expected)

    def test_json(self):
        done = run("selftest", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        report = json.loads(done.stdout)
        self.assertIs(report["passed"], True)
        self.assertEqual([r["target"] for r in report["results"]], json.loads(run("targets", "--json").stdout)["targets"])
        for result in report["results"]:
            self.assertEqual((result["hash"], result["cases"], result["equal"], result["differing"]),
                             (TOGETHER, len(CASES), len(CASES), []))

    def test_print_golden_is_what_is_compiled_in(self):
        self.assertEqual(run("selftest", "--print-golden").stdout, GOLDEN)


class Targets(unittest.TestCase):
    def test_the_best_one_is_in_use(self):
        done = run("targets")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].endswith(" (in use)"), lines)
        self.assertEqual(sum("(in use)" in line for line in lines), 1, lines)
        self.assertEqual(lines[-1].split()[0], "SCALAR", "the portable one is always there, and last")

    def test_json(self):
        report = json.loads(run("targets", "--json").stdout)
        self.assertEqual(report["current"], report["targets"][0])


def commands():
    return re.findall(r"(?m)^  ([a-z]+) ", run("--help").stdout.split("Subcommands:")[1])


class Documents(unittest.TestCase):
    def test_every_command_is_in_both_readmes(self):
        for name, heading in (("README.md", "## The program"), ("README.zh.md", "## 命令行程序")):
            section = " ".join((ROOT / name).read_text().split(heading + "\n")[1].split("\n## ")[0].split())
            for command in commands():
                self.assertIn(f"`adamant {command}", section, name)


class Statuses(unittest.TestCase):
    def test_help(self):
        for command in ((), ("bench",), ("selftest",), ("targets",)):
            done = run(*command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("--help", done.stdout)

    def test_help_of_every_command_is_of_one_style(self):
        self.assertIn("Each command has its own --help.", run("--help").stdout)
        self.assertEqual(len(commands()), 8)
        for command in commands():
            text = run(command, "--help").stdout
            self.assertNotIn("Each command", text)
            options = re.findall(r"(?m)^  (-\S+(?: [A-Z]\S*(?: \.\.\.)?)?)\s+(\S.*)$", text)
            self.assertGreater(len(options), 1, command)
            for option, words in options:
                self.assertNotRegex(words, r"\[.*\]$", (command, option))
                self.assertRegex(words, r"^([A-Z0]|(words|cache|adamw|adam|sgd|rmsprop|adagrad)\b)", (command, option))

    def test_without_a_command_it_says_what_there_is(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", run("--help").stdout))

    def test_unknown_options_and_commands(self):
        for arguments, text in (
            (("--bogus",), "adamant: unknown option --bogus; see adamant --help"),
            (("--bogus", "targets"), "adamant: unknown option --bogus; see adamant --help"),
            (("bench", "--bogus", "3"), "adamant bench: unknown option --bogus; see adamant bench --help"),
            (("selftest", "--bogus"), "adamant selftest: unknown option --bogus; see adamant selftest --help"),
            (("targets", "bogus"), "adamant targets: unexpected argument bogus; see adamant targets --help"),
            (("lab", "--steps"), "adamant lab: --steps: 1 required N missing; see adamant lab --help"),
            (("report",), "adamant report: RUN is required; see adamant report --help"),
            (("inspect", "a", "b"), "adamant inspect: unexpected argument b; see adamant inspect --help"),
        ):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", text + "\n"), arguments)
        done = run("bogus")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\Aadamant: unknown command bogus: must be one of .*\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
