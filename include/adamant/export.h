// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the library shows to the programs and libraries that link it; everything else is hidden. For C and C++.
#ifndef ADAMANT_EXPORT_H
#define ADAMANT_EXPORT_H

#if defined(__GNUC__)
#define ADAMANT_EXPORT __attribute__((visibility("default")))
#else
#define ADAMANT_EXPORT
#endif

#endif  // ADAMANT_EXPORT_H
