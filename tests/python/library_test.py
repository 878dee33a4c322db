# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The binding says what adamant.h says, and refusals become exceptions."""

import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import ROOT, numpy

import adamant
from adamant import _library
from adamant._library import c

LIBC = "libc.so.6"  # some other library
ABI = (ROOT / "tests/c/abi.txt").read_text()
SCALARS = {"int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint32_t": ctypes.c_uint32,
           "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "double": ctypes.c_double, "float": ctypes.c_float,
           "void*": ctypes.c_void_p, "char*": ctypes.c_char_p, "adamant_status": ctypes.c_int32, "void": None}
HANDLES = {"optimizer", "statistics", "checkpoints", "run_log", "tensorboard", "health"}


def class_name(name):
    """adamant_step_options: StepOptions."""
    return "".join(word.capitalize() for word in name.split("_")[1:])


def type_of(text):
    """The ctypes type of a C type; of a handle, that of a pointer to anything."""
    text = " ".join(text.replace("const", " ").split()).replace(" *", "*")
    if text in SCALARS:
        return SCALARS[text]
    if not text.endswith("*"):
        return getattr(_library, class_name(text))
    target = text[:-1].strip()
    if target.startswith("adamant_") and target[len("adamant_"):] in HANDLES:
        return ctypes.c_void_p
    return ctypes.POINTER(type_of(target))


class Binding(unittest.TestCase):
    def test_calls(self):
        calls = re.findall(r"^call (.+?)\s*adamant_(\w+)\((.*)\)$", ABI, re.MULTILINE)
        self.assertGreater(len(calls), 50)
        self.assertEqual([name for _, name, _ in calls], list(_library._CALLS))
        for returns, name, takes in calls:
            with self.subTest(call=name):
                takes = [] if takes == "void" else [re.sub(r"\w+$", "", each).strip() for each in takes.split(",")]
                self.assertEqual(_library._CALLS[name], [type_of(each) for each in takes])
                self.assertEqual(getattr(c, name).restype, type_of(returns))
                self.assertEqual(getattr(c, name).errcheck is not None, returns == "adamant_status")

    def test_structs(self):
        structs = dict(re.findall(r"^struct adamant_(\w+) (\d+)$", ABI, re.MULTILINE))
        self.assertGreater(len(structs), 15)
        self.assertEqual({cls.__name__ for cls in _library.Struct.__subclasses__()},
                         {class_name("adamant_" + name) for name in structs})
        for name, size in structs.items():
            struct = getattr(_library, class_name("adamant_" + name))
            with self.subTest(struct=name):
                self.assertEqual(ctypes.sizeof(struct), int(size))
                self.assertEqual(struct().struct_size, int(size))
                members = re.findall(rf"^member adamant_{name}\.(\w+) (\d+) (\d+)$", ABI, re.MULTILINE)
                ours = [field for base in (_library.Struct, struct) for field, _ in base._fields_]
                self.assertEqual([member for member, _, _ in members], ours)
                for member, offset, bytes in members:
                    self.assertEqual((getattr(struct, member).offset, getattr(struct, member).size),
                                     (int(offset), int(bytes)), member)

    def test_numbers(self):
        enums = [_library.List, _library.Kind, _library.Format, _library.PlaneKind, _library.Light,
                 _library.StatisticsFlag, _library.MemoryFlag]
        ours = {name: int(value) for enum in enums for name, value in enum.__members__.items()}
        ours["ABI"] = _library.ABI
        numbers = {name: int(value) for name, value in re.findall(r"^number ADAMANT_(\w+) (\d+)$", ABI, re.MULTILINE)}
        statuses = {name: numbers.pop(name) for name in list(numbers)
                    if name == "OK" or name.lower() in adamant._errors.BY_STATUS}
        self.assertEqual(numbers, ours)
        # Every status but "ok" has an exception, by the name that the library gives it.
        self.assertEqual({c.status_name(number).decode() for number in statuses.values()} - {"ok"},
                         set(adamant._errors.BY_STATUS))

    def test_loading_says_what_is_wrong(self):
        for path, said in (("/nowhere/libadamant.so", "/nowhere/libadamant.so"), (LIBC, "adamant_abi")):
            environment = dict(os.environ, ADAMANT_LIBRARY=path)
            run = subprocess.run([sys.executable, "-c", "import adamant"], env=environment, capture_output=True,
                                 text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn("ImportError: cannot load the library of adamant", run.stderr)
            self.assertIn(said, run.stderr)

    def test_another_binary_interface_is_refused(self):
        _library.ABI += 1
        try:
            with self.assertRaisesRegex(ImportError, r"has binary interface 1: it must be 2"):
                _library.load(_library.find())
        finally:
            _library.ABI -= 1

    def test_an_older_library_is_refused(self):
        _library._CALLS["invented_later"] = []
        try:
            with self.assertRaisesRegex(ImportError, r"has no adamant_invented_later: it is older than this package"):
                _library.load(_library.find())
        finally:
            del _library._CALLS["invented_later"]


    @unittest.skipUnless(os.path.exists("/proc/self/maps"), "this system does not say what a process has loaded")
    def test_brings_no_onetbb_into_the_process(self):
        w = numpy.zeros(1 << 20, numpy.float32)
        adamant.AdamW([w]).step([numpy.ones_like(w)])
        with open("/proc/self/maps") as maps:
            loaded = maps.read()
        self.assertIn(os.path.realpath(c.path), loaded)
        self.assertNotIn("libtbb", loaded)


class Values(unittest.TestCase):
    """What ctypes and C would cut without a word is refused."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.optimizer = adamant.AdamW({"w": numpy.ones(4, numpy.float32)})
        self.log = adamant.RunLog(self.folder / "run.jsonl", self.optimizer)
        self.checkpoints = adamant.Checkpoints(self.folder / "run", keep=2)
        self.saved = self.optimizer.state_dict()

    def refused(self, said, call, *arguments, **named):
        with self.assertRaisesRegex(adamant.InvalidArgumentError, said):
            call(*arguments, **named)
        self.assertEqual(self.optimizer.state_dict()["adamant"], self.saved["adamant"])

    def load(self, change):
        header = json.loads(self.saved["adamant"])
        change(header)
        self.optimizer.load_state_dict(dict(self.saved, adamant=json.dumps(header)))

    def test_integers(self):
        optimizer, path = self.optimizer, self.folder / "file"
        most = 2**64 - 1
        self.refused("step is an integer of 33220 bits: it must be", optimizer.set_tensor_step, "w", 10**10000)
        for name, most, call in [
                ("keep", most, lambda n: adamant.Checkpoints(self.folder, keep=n)),
                ("max_file_bytes", most, lambda n: adamant.Checkpoints(self.folder, max_file_bytes=n)),
                ("max_file_bytes", most, lambda n: adamant.save(optimizer, path, max_file_bytes=n)),
                ("params", 2**31 - 1, lambda n: adamant.save(optimizer, path, params=n)),
                ("steps", most, self.checkpoints.remove_after),
                ("step", most, lambda n: optimizer.set_tensor_step("w", n)),
                ("every", most, lambda n: adamant.RunLog(path, optimizer, every=n)),
                ("max_tags", most, lambda n: adamant.TensorBoard(self.folder, optimizer, max_tags=n)),
                ("histogram_every", 2**63 - 1,
                 lambda n: adamant.TensorBoard(self.folder, optimizer, histogram_every=n)),
                ("observe_every", 2**32 - 1, lambda n: adamant.Statistics(observe_every=n)),
                ("sample_every", 2**32 - 1, lambda n: adamant.Statistics(sample_every=n)),
                ("probes", 2**32 - 1, lambda n: adamant.Statistics(probes=n)),
                ("seed", most, lambda n: self.load(lambda header: header.update(seed=n))),
                ("steps", most, lambda n: self.load(lambda header: header.update(steps=n))),
                ("group", most, lambda n: self.load(lambda header: header["tensors"]["w"].update(group=n))),
                ("step", most, lambda n: self.load(lambda header: header["tensors"]["w"].update(step=n))),
                ("shape", most, lambda n: self.load(lambda header: header["tensors"]["w"].update(shape=[n])))]:
            with self.subTest(name=name):
                self.refused(rf"{name} is {most + 5}: it must be an integer from \S+ to {most}", call, most + 5)
                self.refused(rf"{name} is an integer of \d+ bits: it must be an integer", call, 10**100)
                if name not in ("keep", "params", "histogram_every"):
                    self.refused(rf"{name} is -1: it must be an integer from 0", call, -1)
                self.refused(rf"{name} is 1.5: it must be an integer", call, 1.5)
        self.load(lambda header: header.update(seed=2**64 - 1))
        self.assertEqual(optimizer.settings["seed"], 2**64 - 1)
        optimizer.set_tensor_step("w", numpy.uint64(2**62))
        self.assertEqual(optimizer.state["w"]["step"], 2**62)

    def test_numbers(self):
        said = "is an integer of 1329 bits: it must be a number that f64 can hold"
        self.refused("grad_scale " + said, self.optimizer.step, grad_scale=10**400)
        self.refused("flush_seconds " + said, adamant.RunLog, self.folder / "x", self.optimizer, flush_seconds=10**400)
        self.refused("lr " + said, adamant.AdamW, [numpy.ones(4, numpy.float32)], lr=10**400)
        self.refused("betas " + said, self.optimizer.param_groups[0].update, betas=(10**400, 0.5))
        self.refused("betas is 'x'", self.optimizer.param_groups[0].update, betas=("x", 0.5))

    def test_texts(self):
        optimizer, group, w = self.optimizer, self.optimizer.param_groups[0], numpy.ones(4, numpy.float32)
        for name, before, after, call in [
                ("name of a parameter", "w", "x", lambda text: adamant.AdamW({text: w})),
                ("name of a parameter", "v", "x", lambda text: optimizer.add_group({"params": {text: w}})),
                ("rule of a group", "sgd", "x", lambda text: adamant.AdamW([{"params": [w], "rule": text}])),
                ("preset", "q8", "x", lambda text: adamant.AdamW([w], preset=text)),
                ("state", "q8", "x", lambda text: adamant.AdamW([w], state=text)),
                ("state", "q8", "x", lambda text: optimizer.set_formats(state=text)),
                ("weights", "plain", "x", lambda text: optimizer.set_formats(weights=text)),
                ("state", "exp_avg", "x", lambda text: optimizer.export_state("w", text)),
                ("name of an option or setting", "lr", "x", lambda text: group.update({text: 0.5})),
                ("option", "lr", "x", lambda text: group[text]),
                ("setting", "seed", "x", lambda text: optimizer.settings[text]),
                ("nonfinite", "skip", "x", lambda text: optimizer.settings.update(nonfinite=text)),
                ("path", self.folder / "a", "b", lambda text: adamant.save(optimizer, text)),
                ("path", self.folder / "run.jsonl", "b", lambda text: adamant.load(optimizer, text)),
                ("path", self.folder / "run.jsonl", "b", adamant.inspect),
                ("path", self.folder / "run.jsonl", "b", adamant.verify),
                ("path", self.folder / "a", "b", adamant.Checkpoints),
                ("path", self.folder / "a", "b", lambda text: adamant.RunLog(text, optimizer)),
                ("path", self.folder / "a", "b", lambda text: adamant.TensorBoard(text, optimizer)),
                ("title", "a", "b", lambda text: adamant.RunLog(self.folder / "x", optimizer, title=text)),
                ("note", "a", "b", lambda text: adamant.RunLog(self.folder / "x", optimizer, note=text)),
                ("resume", self.log.position(), "b",
                 lambda text: adamant.RunLog(self.folder / "x", optimizer, resume=text)),
                ("note", "a", "b", lambda text: self.log.end(note=text)),
                ("name of a tensor", "w", "b",
                 lambda text: adamant.TensorBoard(self.folder, optimizer, tensors=[text])),
                ("note", "a", "b", lambda text: adamant.save(optimizer, self.folder / "a", metadata={"note": text})),
                ("target", adamant.current_target(), "b", adamant.use_target),
                ("rule", "adamw", "b", lambda text: self.load(lambda header: header["groups"][0].update(rule=text))),
                ("formula", "adamw-1", "b", lambda text: self.load(lambda header: header["groups"][0].update(
                    formula=text))),
                ("name of a tensor", "w", "x", lambda text: self.load(lambda header: header["tensors"].update(
                    {text: header["tensors"]["w"]}))),
                ("state", "exp_avg", "x", lambda text: optimizer.load_state_dict(
                    {**self.saved, f"w/{text}": self.saved["w/exp_avg"]}))]:
            with self.subTest(name=name, before=before):
                self.refused(rf"{name} is '.*{re.escape(str(before))}\\x00{after}': it must ", call,
                             f"{before}\0{after}")
                if name != "path":
                    self.refused(rf"{name} is '\\ud800'", call, "\ud800")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["run", "run.jsonl"])


class Errors(unittest.TestCase):
    def test_are_also_pythons_own(self):
        kinds = {adamant.InvalidArgumentError: ValueError, adamant.NotFoundError: KeyError,
                 adamant.DuplicateError: ValueError, adamant.MismatchError: ValueError,
                 adamant.NonFiniteError: FloatingPointError, adamant.BusyError: RuntimeError, adamant.IoError: OSError,
                 adamant.OutOfMemoryError: MemoryError, adamant.InternalError: RuntimeError}
        self.assertEqual(set(kinds), set(adamant._errors.BY_STATUS.values()))
        for ours, theirs in kinds.items():
            self.assertTrue(issubclass(ours, theirs) and issubclass(ours, adamant.Error))

    def test_of_the_library(self):
        w = numpy.ones(4, numpy.float32)
        with self.assertRaises(adamant.InvalidArgumentError) as caught:
            adamant.AdamW([w], lr=-1.0)
        self.assertIn("Invalid learning rate: -1", str(caught.exception))
        self.assertEqual(caught.exception.status, "invalid_argument")
        with self.assertRaises(KeyError) as caught:
            adamant.AdamW([w], state="q9")
        self.assertTrue(str(caught.exception).startswith("unknown state format 'q9'"), caught.exception)
        with self.assertRaises(adamant.DuplicateError):
            adamant.AdamW([w, w[1:]])
        with self.assertRaises(adamant.MismatchError):
            adamant.AdamW([(w, numpy.ones(4, numpy.float64))])
        optimizer = adamant.AdamW([w], nonfinite="error")
        with self.assertRaises(FloatingPointError):
            optimizer.step([numpy.array([1, numpy.nan, 1, 1], numpy.float32)])
        with self.assertRaises(OSError):
            adamant.RunLog("/nowhere/run.jsonl", optimizer)
        optimizer.begin_step()
        with self.assertRaises(adamant.BusyError):
            optimizer.state_dict()

    def refused(self, said, call, *args, **kwargs):
        with self.assertRaisesRegex(adamant.InvalidArgumentError, said):
            call(*args, **kwargs)

    def test_what_is_no_number(self):
        optimizer = adamant.AdamW([numpy.ones(4, numpy.float32)], lr=0.25)
        for lr in ("0.1", None, numpy.ones(2), [0.1]):
            self.refused("^lr is .*: it must be a number", setattr, optimizer, "lr", lr)
        self.assertEqual(optimizer.lr, 0.25)
        optimizer.lr = numpy.float32(0.5)
        self.assertEqual(optimizer.lr, 0.5)
        self.refused("a number of betas is 'x': it must be a number", optimizer.param_groups[0].update, betas=("x", 0.9))
        for call in (optimizer.step, optimizer.begin_step):
            self.refused("grad_scale is 'x': it must be a number", call, grad_scale="x")
            self.refused("statistics are of type int: they must be an adamant.Statistics", call, statistics=3)

    def test_what_is_no_count(self):
        optimizer = adamant.AdamW({"w": numpy.ones(4, numpy.float32)})
        with tempfile.TemporaryDirectory() as folder:
            for name, most, call in [
                    ("step", 2**64, lambda step: optimizer.set_tensor_step("w", step)),
                    ("observe_every", 2**32, lambda count: adamant.Statistics(observe_every=count)),
                    ("sample_every", 2**32, lambda count: adamant.Statistics(sample_every=count)),
                    ("probes", 2**32, lambda count: adamant.Statistics(probes=count)),
                    ("max_file_bytes", 2**64, lambda count: adamant.save(optimizer, folder + "/a", max_file_bytes=count)),
                    ("keep", 2**64, lambda count: adamant.Checkpoints(folder, keep=count)),
                    ("max_file_bytes", 2**64, lambda count: adamant.Checkpoints(folder, max_file_bytes=count)),
                    ("steps", 2**64, lambda count: adamant.Checkpoints(folder).remove_after(count)),
                    ("every", 2**64, lambda count: adamant.RunLog(folder + "/log", optimizer, every=count)),
                    ("max_tags", 2**64, lambda count: adamant.TensorBoard(folder, optimizer, max_tags=count)),
                    ("histogram_every", 2**63,
                     lambda count: adamant.TensorBoard(folder, optimizer, histogram_every=count))]:
                for value in (-1, most, 0.5, "x"):
                    with self.subTest(name=name, value=value):
                        self.refused(f"^{name} is {value!r}: it must be an integer from [01] to {most - 1}", call, value)
            self.assertEqual(os.listdir(folder), [])
        self.assertEqual(optimizer.state["w"]["step"], 0)

    def test_what_is_no_text(self):
        w = numpy.ones(4, numpy.float32)
        optimizer = adamant.AdamW({"w": w})
        with tempfile.TemporaryDirectory() as folder:
            for name, call in [
                    ("preset", lambda text: adamant.AdamW([w], preset=text)),
                    ("rule of a group", lambda text: adamant.AdamW([{"params": [w], "rule": text}])),
                    ("title", lambda text: adamant.RunLog(folder + "/log", optimizer, title=text)),
                    ("resume", lambda text: adamant.RunLog(folder + "/log", optimizer, resume=text)),
                    ("name of a tensor", lambda text: adamant.TensorBoard(folder, optimizer, tensors=[text])),
                    ("name of an option or setting", lambda text: optimizer.param_groups[0].update({text: 1.0})),
                    ("state", optimizer.set_formats), ("state", lambda text: optimizer.export_state("w", text)),
                    ("target", adamant.use_target)]:
                for text in (3, b"x", "x\0", "\ud800"):
                    with self.subTest(name=name, text=text):
                        self.refused(f"^{re.escape(f'{name} is {text!r}')}: it must be a str of Unicode", call, text)
            self.assertEqual(os.listdir(folder), [])
        for text in ("x\0", "\ud800"):
            self.refused("^name of a parameter is ", adamant.AdamW, {text: w})
        self.assertNotIn(3, optimizer.param_groups[0])
        self.assertNotIn(3, optimizer.settings)
        self.refused("the tensor is 1.5: it must be a name or a number", optimizer.export_param, 1.5)
        self.refused("values of 'w' must be an array of numbers", optimizer.import_param, "w", "x")
        self.refused("parameters are of type int: they must be a list or dict", adamant.AdamW, 3)
        self.refused("gradients are of type int: they must be a list or dict", optimizer.step, 3)

    def test_what_is_no_optimizer(self):
        with tempfile.TemporaryDirectory() as folder:
            for call in (lambda thing: adamant.save(thing, folder + "/a"), lambda thing: adamant.load(thing, folder + "/a"),
                         lambda thing: adamant.RunLog(folder + "/log", thing),
                         lambda thing: adamant.TensorBoard(folder, thing), adamant.Health,
                         adamant.Checkpoints(folder).save, adamant.Checkpoints(folder).load_newest):
                for thing in (None, adamant.AdamW, unittest.TestCase()):
                    of = f"{type(thing).__module__}.{type(thing).__name__}".replace("builtins.", "")
                    self.refused(f"^the optimizer is of type {of}: it must be an adamant.Optimizer", call, thing)
            self.assertEqual(os.listdir(folder), [])

    def test_what_has_no_rule(self):
        class Mine(adamant.Optimizer):
            pass

        class MineOfRule(adamant.SGD):
            pass

        w = numpy.ones(4, numpy.float32)
        classes = ", ".join("adamant." + rule.__name__ for rule in adamant.RULES.values())
        for without in (adamant.Optimizer, Mine):
            self.refused(rf"^{without.__name__} has no rule: use a class that has one \({classes}\)", without, {"w": w})
        self.assertEqual(len(MineOfRule({"w": w})), 1)


if __name__ == "__main__":
    unittest.main()
