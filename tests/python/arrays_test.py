# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Which arrays are used in place, which are refused, and that those in use stay where they are."""

import ctypes
import gc
import mmap
import tempfile
import unittest
import weakref

from support import numpy, random_numbers, to_bf16

import adamant


def ones(size=8, dtype=numpy.float32):
    return numpy.ones(size, dtype)


def misaligned(size=8):
    return numpy.zeros(4 * size + 1, numpy.uint8)[1:].view(numpy.float32)


class Interface:
    """An array that is none of NumPy's."""

    def __init__(self, array):
        self.__array_interface__ = array.__array_interface__
        self.array = array


class Moving:
    """One whose memory is another after `array` was set."""

    def __init__(self, array):
        self.array = array

    @property
    def __array_interface__(self):
        return self.array.__array_interface__


class DLPack:
    """An array with nothing but DLPack, which NumPy exports for it."""

    def __init__(self, array, device=(1, 0), versions=True):
        self.array, self.device, self.versions = array, device, versions

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **wanted):
        if not self.versions and wanted:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**wanted)


class Refusals(unittest.TestCase):
    def refused(self, error, said, call, *args, **kwargs):
        with self.assertRaisesRegex(error, said):
            call(*args, **kwargs)

    def test_what_is_no_array_of_a_known_format(self):
        value = adamant.InvalidArgumentError
        for array, said in [([1.0], "is of type list: it must be a NumPy array"), (1.0, "is of type float"),
                            (ones(dtype=numpy.int32), "is int32: it must be one of float32"),
                            (ones(dtype=numpy.complex64), "is complex64"),
                            (ones(dtype=numpy.uint16), 'is uint16: .*format="bf16"'),
                            (ones(dtype=object), "is object"), (ones().tolist, "is of type ")]:
            with self.subTest(said=said):
                self.refused(value, "parameter '0' " + said, adamant.AdamW, [array])
                self.refused(value, "gradient of '0' " + said, adamant.AdamW([ones()]).step, [array])

    def test_what_is_not_exported(self):
        class Unexported(DLPack):
            def __dlpack__(self, **wanted):
                raise self.error("no export")

        for Unexported.error in (BufferError, RuntimeError):
            for Unexported.requires_grad, said in [(False, "is of type .*Unexported and not exported: no export"),
                                                   (True, "is of type .*Unexported and requires grad: adamant.torch has")]:
                for versions in (True, False):
                    self.refused(adamant.InvalidArgumentError, "parameter 'w' " + said, adamant.AdamW,
                                 {"w": Unexported(ones(), versions=versions)})

    def test_what_cannot_be_used_in_place(self):
        value = adamant.InvalidArgumentError
        swapped = ones().astype(numpy.dtype(numpy.float32).newbyteorder())
        for array, said in [(swapped, "is byte-swapped"), (ones(16)[::2], r"has strides \(8,\)"),
                            (numpy.ones((4, 2), numpy.float32).T, "has strides"), (misaligned(), "is misaligned"),
                            (numpy.broadcast_to(ones(1), 8), "has strides|is read-only")]:
            with self.subTest(said=said):
                self.refused(value, "parameter '0' " + said, adamant.AdamW, [array])
                self.refused(value, "gradient of '0' " + said,
                             adamant.AdamW([numpy.ones(array.shape, numpy.float32)]).step, [array])

    def test_what_must_not_be_written(self):
        array = ones()
        array.flags.writeable = False
        self.refused(adamant.InvalidArgumentError, "parameter '0' is read-only", adamant.AdamW, [array])
        optimizer = adamant.AdamW([ones()])
        self.assertTrue(optimizer.step([array]).applied)
        self.refused(adamant.InvalidArgumentError, "gradient of '0' is read-only", optimizer.zero_grad)
        self.refused(adamant.InvalidArgumentError, "gradient of '0' is read-only",
                     adamant.AdamW([(ones(), array)]).zero_grad)
        optimizer.set_grads([ones()])
        optimizer.zero_grad()

    def test_overlap(self):
        array = ones(16)
        self.refused(adamant.DuplicateError, "share memory", adamant.AdamW, [array[:8], array[7:15]])
        self.refused(adamant.DuplicateError, "shares memory", adamant.AdamW([array[:8]]).step, [array[1:9]])

    def test_what_is_unusual_among_what_is_usual(self):
        def read_only():
            array = ones()
            array.flags.writeable = False
            return array

        optimizer = adamant.SGD([ones(), ones(), ones(0)], lr=1.0)
        for unusual in (read_only(), Interface(ones()), ones(dtype=numpy.float16), ones()):
            before = [param.copy() for param in optimizer.param_groups[0]["params"]]
            optimizer.step([ones(), unusual, ones(0)])
            optimizer.step([ones(), unusual, None])
            for param, old in zip(optimizer.param_groups[0]["params"], before):
                numpy.testing.assert_array_equal(param, old - 2)
        optimizer = adamant.SGD([ones(), ones()], lr=1.0)
        for unusual, said in [(ones(16)[::2], "has strides"), (misaligned(), "is misaligned"), (ones(4), "has shape"),
                              (ones().astype(numpy.dtype(numpy.float32).newbyteorder()), "is byte-swapped")]:
            self.refused(ValueError, "gradient of '1' " + said, optimizer.step, [ones(), unusual])
            optimizer.step([ones(), ones()])

    def test_shapes_of_gradients(self):
        for shape in [(4,), (2, 2), (1, 8), (8, 1)]:
            self.refused(adamant.MismatchError, "must have that of its parameter, \\(8,\\)",
                         adamant.AdamW([ones()]).step, [ones(shape)])

    def test_lists(self):
        w = ones()
        optimizer = adamant.AdamW({"w": w, "b": ones(1)})
        self.refused(adamant.MismatchError, "there are 1 gradients", optimizer.step, [w])
        self.refused(adamant.NotFoundError, "there is no tensor 'c': there are w, b", optimizer.step, {"c": w})
        self.refused(adamant.InvalidArgumentError, "gradients are a single ndarray", optimizer.step, w)
        self.refused(adamant.InvalidArgumentError, "parameters are a single ndarray", adamant.AdamW, w)
        self.refused(adamant.InvalidArgumentError, '"params" of group 0 are a single', adamant.AdamW, [{"params": w}])
        self.refused(adamant.InvalidArgumentError, "empty parameter list", adamant.AdamW, [])
        self.refused(adamant.InvalidArgumentError, 'group 1 must be a dict with "params"', adamant.AdamW,
                     [{"params": [w]}, w])
        self.refused(adamant.InvalidArgumentError, "a parameter is a tuple of 3", adamant.AdamW, [(w, w, w)])

    def test_a_refused_list_of_gradients_changes_none(self):
        w, b = ones(), ones(1)
        first = [ones(), ones(1)]
        optimizer = adamant.SGD([w, b], lr=1.0)
        optimizer.set_grads(first)
        self.refused(adamant.MismatchError, "gradient of '1'", optimizer.set_grads, [2 * ones(), ones(2)])
        self.refused(adamant.DuplicateError, "gradient of '1' shares memory", optimizer.set_grads, [2 * ones(), b])
        optimizer.step()
        numpy.testing.assert_array_equal(w, 0)
        numpy.testing.assert_array_equal(b, 0)


class Formats(unittest.TestCase):
    def test_bf16_as_uint16(self):
        w, grad = to_bf16(random_numbers(1, 100)), to_bf16(random_numbers(2, 100))
        wide = (w.astype(numpy.uint32) << 16).view(numpy.float32)
        optimizer = adamant.SGD([w], lr=0.5, format="bf16")
        optimizer.step([grad])
        expected = wide - numpy.float32(0.5) * (grad.astype(numpy.uint32) << 16).view(numpy.float32)
        numpy.testing.assert_array_equal(w, to_bf16(expected))
        with self.assertRaisesRegex(ValueError, 'format is \'f16\': it must be "bf16"'):
            adamant.SGD([w], format="f16")

    def test_bf16_of_ml_dtypes(self):
        try:
            import ml_dtypes
        except ImportError:
            self.skipTest("this Python has no ml_dtypes")
        w, grad = (to_bf16(random_numbers(seed, 100)).view(ml_dtypes.bfloat16) for seed in (1, 2))
        expected = w.astype(numpy.float32) - numpy.float32(0.5) * grad.astype(numpy.float32)
        expected = expected.astype(ml_dtypes.bfloat16)
        adamant.SGD([w], lr=0.5).step([grad])
        numpy.testing.assert_array_equal(w.view(numpy.uint16), expected.view(numpy.uint16))

    def test_a_gradient_of_another_format(self):
        for dtype in (numpy.float16, numpy.float32):
            w = ones()
            adamant.SGD([w], lr=0.5).step([ones(dtype=dtype)])
            numpy.testing.assert_array_equal(w, 0.5)

    def test_shapes(self):
        for shape in [(), (1,), (3, 4), (2, 3, 4), (0,), (0, 3)]:
            w = numpy.ones(shape, numpy.float32)
            optimizer = adamant.SGD([w], lr=0.5, momentum=0.5)
            optimizer.step([numpy.ones(shape, numpy.float32)])
            numpy.testing.assert_array_equal(w, 0.5)
            self.assertEqual(optimizer.state[0]["momentum_buffer"].shape, shape)

    def test_array_interface(self):
        w, grad = ones(), ones()
        adamant.SGD([Interface(w)], lr=0.5).step([Interface(grad)])
        numpy.testing.assert_array_equal(w, 0.5)
        w.flags.writeable = False
        with self.assertRaisesRegex(ValueError, "parameter '0' is read-only"):
            adamant.SGD([Interface(w)])


class OfDLPack(unittest.TestCase):
    def setUp(self):
        if not hasattr(numpy.ndarray, "__dlpack__"):
            self.skipTest("this NumPy has no DLPack")

    def test_in_place(self):
        for versions in (True, False):
            for dtype in (numpy.float32, numpy.float64, numpy.float16):
                w, grad = ones((4, 2), dtype), ones((4, 2), dtype)
                optimizer = adamant.SGD([DLPack(w, versions=versions)], lr=0.5)
                optimizer.step([DLPack(grad, versions=versions)])
                numpy.testing.assert_array_equal(w, 0.5)
                with self.assertRaises(adamant.MismatchError):
                    optimizer.step([DLPack(ones((2, 4), dtype))])

    def test_refusals(self):
        for array, said in [(DLPack(ones(), device=(2, 1)), r"the DLPack device \(2, 1\): it must be in CPU memory"),
                            (DLPack(ones((4, 4))[:, ::2]), "has strides"), (DLPack(ones((4, 4)).T), "has strides"),
                            (DLPack(ones(dtype=numpy.int32)), r"is of the DLPack type \(0, 32, 1\)"),
                            (DLPack(misaligned()), "is misaligned")]:
            with self.subTest(said=said):
                shape = array.array.shape
                self.assertRaisesRegex(ValueError, "parameter '0' .*" + said, adamant.SGD, [array])
                self.assertRaisesRegex(ValueError, "gradient of '0' .*" + said, adamant.SGD([ones(shape)]).step,
                                       [array])

    def test_what_was_exported_is_kept_and_let_go(self):
        class Exporter(DLPack):
            def __dlpack__(self, **wanted):
                exported = self.array.copy()  # nothing but the capsule knows it
                self.alive = weakref.ref(exported)
                return exported.__dlpack__(**wanted)

        exporter = Exporter(ones())
        optimizer = adamant.SGD([exporter])
        alive = exporter.alive
        del exporter
        gc.collect()
        self.assertIsNotNone(alive())
        del optimizer
        gc.collect()
        self.assertIsNone(alive())

    def test_read_only(self):
        array = ones()
        array.flags.writeable = False
        try:
            array.__dlpack__(max_version=(1, 0))
        except (TypeError, BufferError):
            self.skipTest("this NumPy exports no read-only arrays")
        self.assertRaisesRegex(ValueError, "parameter '0' is read-only", adamant.SGD, [DLPack(array)])


class References(unittest.TestCase):
    def test_arrays_in_use_are_kept(self):
        w, grad = ones(), ones()
        kept = [weakref.ref(w), weakref.ref(grad)]
        optimizer = adamant.SGD([w], lr=0.5)
        optimizer.set_grads([grad])
        del w, grad
        gc.collect()
        self.assertTrue(all(each() is not None for each in kept))
        optimizer.step()
        numpy.testing.assert_array_equal(kept[0](), 0.5)
        optimizer.set_grads([None])
        gc.collect()
        self.assertIsNone(kept[1]())
        del optimizer
        gc.collect()
        self.assertIsNone(kept[0]())

    def test_arrays_in_use_cannot_be_resized(self):
        w, grad = ones(), ones()
        optimizer = adamant.SGD([w], lr=0.5)
        optimizer.step([grad])
        for array in (w, grad):
            for refcheck in (True, False):
                with self.assertRaises(ValueError):
                    array.resize(1 << 20, refcheck=refcheck)
        # Where NumPy would have done it.
        ones().resize(1 << 20, refcheck=False)
        del optimizer

    def test_arrays_whose_views_are_in_use_cannot_be_resized(self):
        w, grad, rows = ones(16), ones(16), numpy.arange(8)
        optimizer = adamant.SGD([w[:8].reshape(4, 2)], lr=0.5)
        optimizer.set_grad(0, grad[:8].reshape(4, 2))
        for use in (lambda: None, lambda: optimizer.step([grad[8:].reshape(4, 2)])):
            use()
            for array in (w, grad):
                self.assertRaises(ValueError, array.resize, 1 << 20, refcheck=False)
        for given in (rows, rows[4:]):
            optimizer.set_lazy_row_grad(0, given, ones((len(given), 2)))
            self.assertRaises(ValueError, rows.resize, 1 << 20, refcheck=False)
        del optimizer

    def test_what_is_not_numpys_may_move_between_two_steps(self):
        w = ones()
        for kind in (Moving, DLPack) if hasattr(w, "__dlpack__") else (Moving,):
            grad = kind(ones())
            optimizer = adamant.SGD([(w, grad), ones()], lr=1.0)
            for times in (1, 2, 3):
                grad.array = numpy.full(8, times, numpy.float32)
                before = w.copy()
                optimizer.step([grad, None])
                numpy.testing.assert_array_equal(w, before - times)

    def test_a_bytearray_in_use_cannot_be_resized(self):
        memory = bytearray(32)
        optimizer = adamant.SGD([numpy.frombuffer(memory, numpy.float32)])
        with self.assertRaises(BufferError):
            memory.extend(bytes(1 << 20))
        del optimizer

    def test_a_mapped_file_in_use_stays_mapped(self):
        with tempfile.TemporaryFile() as file:
            file.write(bytes(4096))
            file.flush()
            mapped = mmap.mmap(file.fileno(), 4096)
            optimizer = adamant.SGD([numpy.frombuffer(mapped, numpy.float32)], lr=0.5)
            with self.assertRaises(BufferError):
                mapped.close()
            optimizer.step([ones(1024)])
            del optimizer
            self.assertEqual(ctypes.c_float.from_buffer_copy(mapped[:4]).value, -0.5)
            mapped.close()

    def test_gradients_may_be_new_in_every_step(self):
        w = ones()
        optimizer = adamant.SGD([w], lr=1.0)
        for step in range(1, 6):
            optimizer.step([numpy.full(8, step, numpy.float32)])
        numpy.testing.assert_array_equal(w, 1 - 15)


if __name__ == "__main__":
    unittest.main()
