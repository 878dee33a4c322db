// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Ctrl-C as a question: while an Interrupt lives, the first SIGINT only sets a flag; the second ends the program.
#pragma once

#include <csignal>

namespace adamant::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool pending() const;

 private:
  struct sigaction before_{};
};

}  // namespace adamant::cli
