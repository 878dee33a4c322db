// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The same engine from C: options by name, all gradients and the step in one call, a checkpoint of the states.
// Prints: w[0] = 2.999, b = 2.000 after 1000 steps
// Prints: exp_avg of w: 4000 bytes of f32
// Prints: refused (1): Invalid learning rate: -1 (lr must be a finite f32 number >= 0)
#include <adamant/adamant.h>
#include <stdio.h>
#include <stdlib.h>

enum { kSize = 1000 };

static void must(adamant_status status) {
  if (status == ADAMANT_OK) return;
  fprintf(stderr, "%s: %s\n", adamant_status_name(status), adamant_last_error());
  exit(1);
}

int main(void) {
  static float w[kSize], w_grad[kSize];
  float b = 0.0F, b_grad = 0.0F;

  // Two parameters in one group. What is left out is zeros, which mean the default: f32, one dimension, no gradient.
  const adamant_tensor tensors[] = {{.struct_size = sizeof(adamant_tensor), .name = "w", .data = w, .size = kSize},
                                    {.struct_size = sizeof(adamant_tensor), .name = "b", .data = &b, .size = 1}};
  const adamant_group group = {.struct_size = sizeof(group), .tensors = tensors, .tensor_count = 2};
  const adamant_value options[] = {
      {.struct_size = sizeof(adamant_value), .name = "lr", .text = "0.01"},
      {.struct_size = sizeof(adamant_value), .name = "weight_decay", .kind = ADAMANT_NUMBER, .number = {0.0}}};
  const adamant_config config = {.struct_size = sizeof(config),
                                 .rule = "adamw",
                                 .groups = &group,
                                 .group_count = 1,
                                 .options = options,
                                 .option_count = 2};
  adamant_optimizer* optimizer = NULL;
  if (adamant_abi() != ADAMANT_ABI) return 1;
  must(adamant_create(&config, &optimizer));

  void* const grads[] = {w_grad, &b_grad};
  const adamant_step_options step = {.struct_size = sizeof(step), .grads = grads, .grad_count = 2};
  for (int i = 0; i < 1000; ++i) {
    for (int k = 0; k < kSize; ++k) w_grad[k] = w[k] - 3.0F;
    b_grad = b - 2.0F;
    must(adamant_step(optimizer, &step, NULL));
  }
  adamant_state state = {.struct_size = sizeof(state)};
  must(adamant_get_state(optimizer, &state));
  printf("w[0] = %.3f, b = %.3f after %d steps\n", (double)w[0], (double)b, (int)state.steps);

  // The states are the optimizer's own memory: write them to a file from here.
  adamant_tensor_info info = {.struct_size = sizeof(info)};
  must(adamant_get_tensor(optimizer, 0, &info));
  const adamant_plane* plane = &info.planes[0];
  adamant_format_info format = {.struct_size = sizeof(format)};
  must(adamant_get_format(ADAMANT_FORMATS, (size_t)plane->element, &format));
  printf("%s of %s: %d bytes of %s\n", plane->state, info.name, (int)plane->bytes, format.name);

  const adamant_status status = adamant_set_lr(optimizer, -1.0);
  printf("refused (%d): %s\n", (int)status, adamant_last_error());
  adamant_free(optimizer);
  return 0;
}
