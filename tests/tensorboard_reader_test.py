# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""TensorBoard itself reads an event file, and finds in it what the program that wrote it says. Status 77, skipped,
without TensorBoard.

    tensorboard_reader_test.py PROGRAM...    PROGRAM may be an emulator and its program, tensorboard_run
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
HISTOGRAM_EVERY = 4


def check(condition, text):
    if not condition:
        sys.exit(f"failed: {text}")


def main():
    try:
        import tensorboard
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError as error:
        print(f"skipped: {error}")
        return SKIPPED
    print(f"tensorboard {tensorboard.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*sys.argv[1:], folder], check=True, capture_output=True, text=True)
        expected = json.loads(done.stdout)
        (file,) = pathlib.Path(folder).iterdir()

        # The records, whose checksums TensorBoard checks.
        events = list(EventFileLoader(str(file)).Load())
        check(len(events) == 1 + len(expected), f"{len(events)} events for {len(expected)} steps")
        check(events[0].file_version == "brain.Event:2", events[0].file_version)
        check([event.step for event in events[1:]] == list(range(1, len(expected) + 1)), "steps")
        check(all(a.wall_time <= b.wall_time for a, b in zip(events, events[1:])), "times go back")

        # What TensorBoard shows.
        board = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
        board.Reload()
        tags = board.Tags()
        check(len(tags["scalars"]) + len(tags["histograms"]) <= 100, "more than 100 tags")
        compared = 0
        for tag in {tag for step in expected for tag in step}:
            found = {event.step: event.value for event in board.Scalars(tag)}
            for number, step in enumerate(expected, 1):
                value = step.get(tag)
                if value is None:  # what cannot be said is NaN there and not in the file
                    check(number not in found, f"{tag} of step {number}")
                    continue
                check(math.isclose(found[number], value, rel_tol=1e-6, abs_tol=1e-12),
                      f"{tag} of step {number}: {found.get(number)} and {value}")
                compared += 1
        histograms = board.Histograms("scales")
        check([event.step for event in histograms] == list(range(HISTOGRAM_EVERY, len(expected) + 1, HISTOGRAM_EVERY)),
              "steps of the histograms")
        for event in histograms:
            check(sum(event.histogram_value.bucket) == event.histogram_value.num, "histogram")

        # A flipped bit must be noticed, or the checksums say nothing.
        torn = bytearray(file.read_bytes())
        torn[len(torn) // 2] ^= 1
        file.write_bytes(torn)
        try:
            read = len(list(EventFileLoader(str(file)).Load()))
        except Exception:
            read = 0
        check(read < len(events), "a flipped bit was not noticed")
    print(f"{compared} numbers of {len(tags['scalars'])} tags, {len(histograms)} histograms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
