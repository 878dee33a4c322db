// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What tells a process from one that it was forked from.
#pragma once

namespace adamant {

/// How many calls of fork() lie between the first process that asked and this one: 0 in the first, and more in a child
/// than in its parent if that asked before. Ids of processes do not tell, for in namespaces of their own both may
/// be 1.
[[nodiscard]] int forks() noexcept;

}  // namespace adamant
