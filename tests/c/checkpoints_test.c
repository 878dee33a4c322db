// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints from C: checkpoints_test FOLDER
#include <stdlib.h>

#include "tests/c/check.h"

#define IS_NULL(call) REFUSED(call, ADAMANT_INVALID_ARGUMENT, "NULL")

enum { SIZE = 6 };

static adamant_optimizer* made(const char* rule, float* w, float* g) {
  STRUCT(adamant_tensor, tensor);
  tensor.name = "w";
  tensor.data = w;
  tensor.size = SIZE;
  tensor.grad = g;
  STRUCT(adamant_group, group);
  group.tensors = &tensor;
  group.tensor_count = 1;
  STRUCT(adamant_config, config);
  config.rule = rule;
  config.groups = &group;
  config.group_count = 1;
  adamant_optimizer* optimizer = NULL;
  OK(adamant_create(&config, &optimizer));
  return optimizer;
}

static uint64_t steps_of(const adamant_optimizer* optimizer) {
  STRUCT(adamant_state, state);
  OK(adamant_get_state(optimizer, &state));
  return state.steps;
}

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : ".";
  char path[1024], run[1024];
  snprintf(path, sizeof(path), "%s/c.safetensors", folder);
  snprintf(run, sizeof(run), "%s/run", folder);
  float w[SIZE] = {1, 2, 3, 4, 5, 6}, g[SIZE] = {1, -1, 2, -2, 3, -3};
  float v[SIZE] = {0}, h[SIZE] = {1, -1, 2, -2, 3, -3};
  adamant_optimizer* first = made("adamw", w, g);
  adamant_optimizer* second = made("adamw", v, h);
  OK(adamant_step(first, NULL, NULL));
  OK(adamant_step(first, NULL, NULL));

  STRUCT(adamant_value, epoch);
  epoch.name = "epoch";
  epoch.text = "3";
  STRUCT(adamant_save_options, save);
  save.metadata = &epoch;
  save.metadata_count = 1;
  save.params = 1;
  OK(adamant_save(first, path, &save));
  OK(adamant_verify(path));

  STRUCT(adamant_checkpoint_info, info);
  OK(adamant_inspect(path, &info));
  CHECK(info.steps == 2 && info.params == 1 && info.bytes > 100);
  CHECK(info.metadata_count == 1 && info.file_count == 1 && info.group_count == 1 && info.tensor_count == 1);
  TEXT(info.metadata[0].name, "epoch");
  TEXT(info.metadata[0].text, "3");
  TEXT(info.files[0], path);
  TEXT(info.groups[0].rule, "adamw");
  TEXT(info.groups[0].formula, "adamw-1");
  CHECK(info.groups[0].option_count == 6);
  TEXT(info.groups[0].options[0].name, "lr");
  TEXT(info.tensors[0].name, "w");
  CHECK(info.tensors[0].ndim == 1 && info.tensors[0].shape[0] == SIZE && info.tensors[0].size == SIZE);
  CHECK(info.tensors[0].step == 2 && info.tensors[0].plane_count == 0 && info.tensors[0].format == -1);

  STRUCT(adamant_load_options, load);
  load.params = 1;
  OK(adamant_load_file(second, path, &load, &info));
  CHECK(info.steps == 2);
  CHECK(steps_of(second) == 2 && memcmp(w, v, sizeof(w)) == 0);
  OK(adamant_step(first, NULL, NULL));
  OK(adamant_step(second, NULL, NULL));
  CHECK(memcmp(w, v, sizeof(w)) == 0);
  OK(adamant_load_file(second, path, NULL, NULL));

  // A run in its folder.
  adamant_checkpoints* checkpoints = NULL;
  STRUCT(adamant_checkpoints_options, options);
  options.keep = 1;
  options.params = 1;
  OK(adamant_checkpoints_open(run, &options, &checkpoints));
  OK(adamant_checkpoints_remove_after(checkpoints, 0));
  int32_t found = 1;
  OK(adamant_checkpoints_load(checkpoints, second, &load, &info, &found));
  CHECK(found == 0);
  OK(adamant_checkpoints_save(checkpoints, first, &epoch, 1, 0));
  OK(adamant_step(first, NULL, NULL));
  OK(adamant_checkpoints_save(checkpoints, first, NULL, 0, 1));
  OK(adamant_checkpoints_wait(checkpoints));
  const uint64_t* steps = NULL;
  size_t count = 0;
  OK(adamant_checkpoints_list(checkpoints, &steps, &count));
  CHECK(count == 1 && steps[0] == 4);
  OK(adamant_checkpoints_load(checkpoints, second, &load, &info, &found));
  CHECK(found == 1 && info.steps == 4 && steps_of(second) == 4 && memcmp(w, v, sizeof(w)) == 0);

  // What is refused.
  adamant_optimizer* other = made("adam", v, h);
  REFUSED(adamant_load_file(other, path, NULL, NULL), ADAMANT_MISMATCH, "must be 'adam'");
  REFUSED(adamant_load_file(other, "no/such/file", NULL, NULL), ADAMANT_IO, "no/such/file");
  info.struct_size = 0;
  REFUSED(adamant_load_file(second, path, NULL, &info), ADAMANT_INVALID_ARGUMENT, "struct_size");
  CHECK(steps_of(second) == 4);
  OK(adamant_set_progress(second, 7, NULL));
  REFUSED(adamant_checkpoints_load(checkpoints, second, &load, &info, &found), ADAMANT_INVALID_ARGUMENT, "struct_size");
  CHECK(steps_of(second) == 7);
  OK(adamant_checkpoints_load(checkpoints, second, &load, NULL, &found));
  REFUSED(adamant_inspect("/dev/null", &info), ADAMANT_INVALID_ARGUMENT, "struct_size");
  info.struct_size = sizeof(info);
  REFUSED(adamant_inspect("/dev/null", &info), ADAMANT_IO, "is not a regular file");
  REFUSED(adamant_save(first, "no/such/folder/x", NULL), ADAMANT_IO, "no/such/folder");
  save.params = 2;
  REFUSED(adamant_save(first, path, &save), ADAMANT_INVALID_ARGUMENT, "params is 2");
  save.params = 0;
  const adamant_value twice[] = {epoch, epoch};
  save.metadata = twice;
  save.metadata_count = 2;
  REFUSED(adamant_save(first, path, &save), ADAMANT_DUPLICATE, "'epoch' is given twice");
  load.round = 7;
  REFUSED(adamant_load_file(second, path, &load, NULL), ADAMANT_INVALID_ARGUMENT, "round is 7");
  REFUSED(adamant_checkpoints_open(path, NULL, &(adamant_checkpoints*){NULL}), ADAMANT_IO, "cannot be");
  STRUCT(adamant_value, unnamed);
  IS_NULL(adamant_checkpoints_save(checkpoints, first, &unnamed, 1, 0));
  unnamed.name = "x";
  IS_NULL(adamant_checkpoints_save(checkpoints, first, &unnamed, 1, 0));
  IS_NULL(adamant_checkpoints_save(checkpoints, first, NULL, 1, 0));
  IS_NULL(adamant_save(NULL, path, NULL));
  IS_NULL(adamant_save(first, NULL, NULL));
  IS_NULL(adamant_load_file(NULL, path, NULL, NULL));
  IS_NULL(adamant_load_file(second, NULL, NULL, NULL));
  IS_NULL(adamant_inspect(NULL, &info));
  IS_NULL(adamant_inspect(path, NULL));
  IS_NULL(adamant_verify(NULL));
  adamant_checkpoints_free(checkpoints);
  IS_NULL(adamant_checkpoints_open(NULL, NULL, &checkpoints));
  IS_NULL(adamant_checkpoints_open(run, NULL, NULL));
  OK(adamant_checkpoints_open(run, NULL, &checkpoints));
  IS_NULL(adamant_checkpoints_save(NULL, first, NULL, 0, 0));
  IS_NULL(adamant_checkpoints_save(checkpoints, NULL, NULL, 0, 0));
  IS_NULL(adamant_checkpoints_wait(NULL));
  IS_NULL(adamant_checkpoints_list(NULL, &steps, &count));
  IS_NULL(adamant_checkpoints_list(checkpoints, NULL, &count));
  IS_NULL(adamant_checkpoints_list(checkpoints, &steps, NULL));
  IS_NULL(adamant_checkpoints_load(NULL, second, NULL, NULL, &found));
  IS_NULL(adamant_checkpoints_load(checkpoints, NULL, NULL, NULL, &found));
  IS_NULL(adamant_checkpoints_load(checkpoints, second, NULL, NULL, NULL));
  IS_NULL(adamant_checkpoints_remove_after(NULL, 0));
  adamant_checkpoints_free(checkpoints);
  adamant_checkpoints_free(NULL);
  adamant_free(first);
  adamant_free(second);
  adamant_free(other);
  return failures;
}
