# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Compiles the consumer with what pkg-config says and runs it: build_and_run.sh <directory for the program>
set -eu
flags=$("$PKG_CONFIG" --cflags --libs adamant)
"$CXX" -std=c++20 "$(dirname "$0")/../consumer.cc" $flags -o "$1/pkg_config_consumer"
"$1/pkg_config_consumer"
