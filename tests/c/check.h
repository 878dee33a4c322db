// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checks for tests in C: each prints what is wrong and goes on; the program ends with the number of them.
#ifndef ADAMANT_TESTS_C_CHECK_H
#define ADAMANT_TESTS_C_CHECK_H

#include <adamant/adamant.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                         \
  do {                                                           \
    if (!(condition)) {                                          \
      ++failures;                                                \
      printf("%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
    }                                                            \
  } while (0)

static inline void check_ok(const char* file, int line, const char* call, adamant_status status) {
  if (status == ADAMANT_OK) return;
  ++failures;
  printf("%s:%d: %s is refused (%s): %s\n", file, line, call, adamant_status_name(status), adamant_last_error());
}
/// The call is not refused.
#define OK(call) check_ok(__FILE__, __LINE__, #call, call)

static inline void check_refused(const char* file, int line, const char* call, adamant_status status, adamant_status expected,
                          const char* says) {
  if (status == expected && strstr(adamant_last_error(), says) != NULL) return;
  ++failures;
  printf("%s:%d: %s gives %s: '%s', must give %s: '%s'\n", file, line, call, adamant_status_name(status),
         adamant_last_error(), adamant_status_name(expected), says);
}
/// The call is refused with that status, and the last error contains `says`.
#define REFUSED(call, expected, says) check_refused(__FILE__, __LINE__, #call, call, expected, says)

static inline void check_text(const char* file, int line, const char* text, const char* expected) {
  if (text != NULL && strcmp(text, expected) == 0) return;
  ++failures;
  printf("%s:%d: '%s', must be '%s'\n", file, line, text == NULL ? "(NULL)" : text, expected);
}
#define TEXT(text, expected) check_text(__FILE__, __LINE__, text, expected)

/// An empty struct of that type, as a caller makes it.
#define STRUCT(type, name) type name = {.struct_size = sizeof(type)}

#endif  // ADAMANT_TESTS_C_CHECK_H
