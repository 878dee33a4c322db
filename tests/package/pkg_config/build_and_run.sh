# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Compiles the consumers with what pkg-config says and runs them: build_and_run.sh <directory for the programs>
set -eu
flags=$("$PKG_CONFIG" --cflags --libs adamant)
"$CXX" -std=c++20 "$(dirname "$0")/../consumer.cc" $flags -o "$1/pkg_config_consumer"
"$1/pkg_config_consumer"
"$CC" -std=c99 -c "$(dirname "$0")/../consumer.c" $("$PKG_CONFIG" --cflags adamant) -o "$1/pkg_config_consumer.o"
"$CXX" "$1/pkg_config_consumer.o" $("$PKG_CONFIG" --libs adamant) -o "$1/pkg_config_consumer_c"
"$1/pkg_config_consumer_c"
