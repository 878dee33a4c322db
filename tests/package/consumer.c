// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The same in C.
#include <adamant/adamant.h>

int main(void) {
  float w[4] = {1.0F, 1.0F, 1.0F, 1.0F}, g[4] = {1.0F, 1.0F, 1.0F, 1.0F};
  const adamant_tensor tensor = {.struct_size = sizeof(tensor), .name = "w", .data = w, .size = 4, .grad = g};
  const adamant_group group = {.struct_size = sizeof(group), .tensors = &tensor, .tensor_count = 1};
  const adamant_config config = {.struct_size = sizeof(config), .rule = "sgd", .groups = &group, .group_count = 1};
  adamant_optimizer* optimizer = NULL;
  if (adamant_abi() != ADAMANT_ABI || adamant_create(&config, &optimizer) != ADAMANT_OK) return 1;
  if (adamant_step(optimizer, NULL, NULL) != ADAMANT_OK || !(w[3] < 1.0F)) return 2;
  if (adamant_set_lr(optimizer, -1.0) != ADAMANT_INVALID_ARGUMENT) return 3;
  adamant_free(optimizer);
  return 0;
}
