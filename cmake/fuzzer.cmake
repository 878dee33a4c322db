# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# How a fuzzer is told what its inputs reach (coverage), how that is left out (no_coverage), and what it is linked from
# (fuzzer_main). AFL++ brings its own main(), and counts what trace-pc-guard calls it for.
if(ADAMANT_FUZZER STREQUAL "libfuzzer")
  set(coverage -fsanitize=fuzzer-no-link)
  set(no_coverage -fno-sanitize=fuzzer-no-link)
  set(fuzzer_main -fsanitize=fuzzer)
elseif(ADAMANT_FUZZER STREQUAL "afl")
  set(coverage -fsanitize-coverage=trace-pc-guard)
  set(no_coverage -fno-sanitize-coverage=trace-pc-guard)
  find_library(ADAMANT_AFL_DRIVER AFLDriver PATH_SUFFIXES afl REQUIRED)
  cmake_path(REPLACE_FILENAME ADAMANT_AFL_DRIVER afl-compiler-rt.o OUTPUT_VARIABLE afl_runtime)
  set(fuzzer_main ${ADAMANT_AFL_DRIVER} ${afl_runtime})
else()
  message(FATAL_ERROR "ADAMANT_FUZZER is \"${ADAMANT_FUZZER}\": it must be libfuzzer or afl")
endif()
