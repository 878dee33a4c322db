// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/interrupt.h"

namespace adamant::cli {
namespace {

volatile std::sig_atomic_t pressed = 0;

}  // namespace

Interrupt::Interrupt() {
  pressed = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { pressed = 1; };
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() { sigaction(SIGINT, &before_, nullptr); }

bool Interrupt::pending() const { return pressed != 0; }

}  // namespace adamant::cli
