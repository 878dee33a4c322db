// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Every call of the C interface does what its comment says. Usage: c_calls_test FOLDER, for the files that it writes.
#include <math.h>
#include <stdlib.h>

#include "tests/c/check.h"

enum { kSize = 6, kRows = 3, kWidth = 4 };

static float w[kSize], g[kSize], table[kRows * kWidth], other[kSize];
static const size_t kShape[] = {kRows, kWidth};

static adamant_value number(const char* name, double value) {
  adamant_value made = {.struct_size = sizeof(made), .name = name, .kind = ADAMANT_NUMBER, .number = {value}};
  return made;
}
static adamant_value text(const char* name, const char* value) {
  adamant_value made = {.struct_size = sizeof(made), .name = name, .text = value};
  return made;
}

/// "w" of six elements with a gradient, and "table" of three rows without.
static adamant_optimizer* make(const char* rule, const char* nonfinite) {
  for (int i = 0; i < kSize; ++i) {
    w[i] = 1.0F;
    g[i] = (float)(i - 2);
  }
  for (int i = 0; i < kRows * kWidth; ++i) table[i] = 1.0F;
  const adamant_tensor tensors[] = {
      {.struct_size = sizeof(adamant_tensor), .name = "w", .data = w, .size = kSize, .grad = g},
      {.struct_size = sizeof(adamant_tensor),
       .name = "table",
       .data = table,
       .size = kRows * kWidth,
       .shape = kShape,
       .ndim = 2}};
  const adamant_group group = {.struct_size = sizeof(group), .tensors = tensors, .tensor_count = 2};
  const adamant_value options[] = {number("lr", 0.25)};
  const adamant_value settings[] = {text("nonfinite", nonfinite), number("threads", 1.0), text("seed", "7")};
  const adamant_config config = {.struct_size = sizeof(config),
                                 .rule = rule,
                                 .groups = &group,
                                 .group_count = 1,
                                 .options = options,
                                 .option_count = 1,
                                 .settings = settings,
                                 .setting_count = 3};
  adamant_optimizer* optimizer = NULL;
  OK(adamant_create(&config, &optimizer));
  return optimizer;
}

static void versions(void) {
  CHECK(adamant_abi() == ADAMANT_ABI);
  CHECK(strchr(adamant_version(), '.') != NULL);
  TEXT(adamant_last_error(), "");
  TEXT(adamant_status_name(ADAMANT_OK), "ok");
  TEXT(adamant_status_name(ADAMANT_INTERNAL), "internal");
  TEXT(adamant_status_name(-1), "unknown");
  TEXT(adamant_status_name(10), "unknown");
}

static void lists(void) {
  for (int32_t list = ADAMANT_RULES; list <= ADAMANT_LIGHTS; ++list) {
    size_t count = 0;
    OK(adamant_count(list, &count));
    CHECK(count > 0);
    for (size_t i = 0; i < count; ++i) {
      const char* name = NULL;
      OK(adamant_get_name(list, i, &name));
      CHECK(name != NULL && strlen(name) > 0);
    }
    const char* name = NULL;
    REFUSED(adamant_get_name(list, count, &name), ADAMANT_NOT_FOUND, "there are");
  }
  STRUCT(adamant_rule_info, rule);
  OK(adamant_get_rule(0, &rule));
  TEXT(rule.name, "adamw");
  TEXT(rule.title, "AdamW");
  STRUCT(adamant_option_info, option);
  OK(adamant_get_option_info("adamw", 1, &option));
  TEXT(option.name, "betas");
  TEXT(option.default_text, "(0.9, 0.999)");
  CHECK(option.kind == ADAMANT_PAIR && option.default_number[0] == 0.9 && option.default_number[1] == 0.999);
  CHECK(option.least == 0.0 && option.most < 1.0 && strlen(option.range) > 0);
  REFUSED(adamant_get_option_info("adamw", rule.option_count, &option), ADAMANT_NOT_FOUND, "option of rule 'adamw'");
  STRUCT(adamant_setting_info, setting);
  OK(adamant_get_setting_info(0, &setting));
  TEXT(setting.name, "state");
  TEXT(setting.default_text, "f32");
  CHECK(setting.kind == ADAMANT_WORD && strlen(setting.range) > 0);
  STRUCT(adamant_format_info, format);
  OK(adamant_get_format(ADAMANT_FORMATS, ADAMANT_BF16, &format));
  TEXT(format.name, "bf16");
  CHECK(format.bytes == 2 && format.element == ADAMANT_BF16 && format.group == 1 && format.max_finite > 3e38);
  OK(adamant_get_format(ADAMANT_STATE_FORMATS, 5, &format));
  TEXT(format.name, "q8");
  CHECK(format.bytes == 1 && format.element == -1 && format.group == 128 && format.compact == 1);
  CHECK(format.max_finite == 0.0);
  OK(adamant_get_format(ADAMANT_WEIGHT_FORMATS, 1, &format));
  TEXT(format.name, "split16");
  CHECK(format.bytes == 2);
  STRUCT(adamant_moment_info, moment);
  OK(adamant_get_moment_info(0, &moment));
  TEXT(moment.name, "lag");
  CHECK(strlen(moment.title) > 0 && strlen(moment.question) > 0 && strlen(moment.formula) > 0);
  CHECK(moment.unit != NULL && strlen(moment.reading) > 0);
}

static void targets(void) {
  const char *best = NULL, *first = NULL;
  OK(adamant_get_name(ADAMANT_TARGETS, 0, &first));
  OK(adamant_use_target(first));
  OK(adamant_current_target(&best));
  TEXT(best, first);
  OK(adamant_use_target(NULL));
}

static void options(void) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  STRUCT(adamant_value, value);
  OK(adamant_get_option(optimizer, 0, "lr", &value));
  TEXT(value.name, "lr");
  TEXT(value.text, "0.25");
  CHECK(value.kind == ADAMANT_NUMBER && value.number[0] == 0.25);
  const adamant_value betas = {
      .struct_size = sizeof(betas), .name = "betas", .kind = ADAMANT_PAIR, .number = {0.5, 0.75}};
  const adamant_value flag = {.struct_size = sizeof(flag), .name = "maximize", .kind = ADAMANT_FLAG, .flag = 1};
  const adamant_value changes[] = {betas, flag, text("eps", "1e-6")};
  OK(adamant_set_options(optimizer, 0, changes, 3));
  OK(adamant_get_option(optimizer, 0, "betas", &value));
  CHECK(value.kind == ADAMANT_PAIR && value.number[0] == 0.5 && value.number[1] == 0.75);
  OK(adamant_get_option(optimizer, 0, "maximize", &value));
  CHECK(value.kind == ADAMANT_FLAG && value.flag == 1);
  TEXT(value.text, "true");
  // A call that is refused hands out no text: the last one stays.
  STRUCT(adamant_value, no_value);
  no_value.struct_size = 0;
  REFUSED(adamant_get_option(optimizer, 0, "eps", &no_value), ADAMANT_INVALID_ARGUMENT, "struct_size");
  TEXT(value.text, "true");
  OK(adamant_set_options(optimizer, 0, NULL, 0));
  OK(adamant_set_lr(optimizer, 0.5));
  OK(adamant_get_option(optimizer, 0, "lr", &value));
  CHECK(value.number[0] == 0.5);

  const char* setting = NULL;
  OK(adamant_get_setting(optimizer, "seed", &setting));
  TEXT(setting, "7");
  const adamant_value norm = number("max_norm", 1.5);
  OK(adamant_set_settings(optimizer, &norm, 1));
  OK(adamant_get_setting(optimizer, "max_norm", &setting));
  TEXT(setting, "1.5");

  OK(adamant_set_formats(optimizer, "bf16", "plain"));
  STRUCT(adamant_tensor_info, info);
  OK(adamant_get_tensor(optimizer, 0, &info));
  CHECK(info.state_format == 2);
  double bytes = 0.0;
  OK(adamant_bytes_per_parameter(optimizer, &bytes));
  CHECK(bytes > 8.0);
  adamant_free(optimizer);
  adamant_free(NULL);
}

static void groups(void) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  float more[2] = {1.0F, 1.0F}, more_grad[2] = {1.0F, -1.0F};
  const adamant_tensor tensor = {.struct_size = sizeof(tensor),
                                 .name = "more",
                                 .data = more,
                                 .size = 2,
                                 .grad = more_grad,
                                 .flags = ADAMANT_GRAD_READ_ONLY};
  const adamant_value momentum = number("momentum", 0.5);
  const adamant_group group = {.struct_size = sizeof(group),
                               .tensors = &tensor,
                               .tensor_count = 1,
                               .rule = "sgd",
                               .options = &momentum,
                               .option_count = 1};
  size_t index = 9;
  OK(adamant_add_group(optimizer, &group, &index));
  CHECK(index == 1);
  STRUCT(adamant_group_info, info);
  OK(adamant_get_group(optimizer, 1, &info));
  TEXT(info.rule, "sgd");
  TEXT(info.formula, "sgd-momentum-1");
  size_t found = 0;
  for (size_t i = 0; i < info.option_count; ++i) {
    found += strcmp(info.options[i].name, "momentum") == 0 && strcmp(info.options[i].text, "0.5") == 0;
  }
  CHECK(found == 1);
  OK(adamant_find_tensor(optimizer, "more", &index));
  CHECK(index == 2);
  REFUSED(adamant_zero_grad(optimizer), ADAMANT_INVALID_ARGUMENT, "gradient of 'more' is read-only");
  OK(adamant_remove_tensor(optimizer, 2));
  REFUSED(adamant_find_tensor(optimizer, "more", &index), ADAMANT_NOT_FOUND, "no tensor 'more'");
  OK(adamant_zero_grad(optimizer));
  for (int i = 0; i < kSize; ++i) CHECK(g[i] == 0.0F);
  adamant_free(optimizer);
}

static void steps(void) {
  adamant_optimizer* optimizer = make("sgd", "skip");
  STRUCT(adamant_step_report, report);
  OK(adamant_step(optimizer, NULL, &report));
  CHECK(report.applied == 1 && report.has_grad_norm == 0 && report.clip_coefficient == 1.0);
  CHECK(report.has_nonfinite == 0 && w[0] == 1.5F && w[5] == 0.25F && table[0] == 1.0F);
  OK(adamant_step(optimizer, NULL, NULL));
  CHECK(w[0] == 2.0F);

  // All gradients and the step in one call; the second tensor has none.
  for (int i = 0; i < kSize; ++i) other[i] = 2.0F;
  void* const grads[] = {other, NULL};
  STRUCT(adamant_step_options, options);
  options.grads = grads;
  options.grad_count = 2;
  options.grad_scale = 2.0;
  OK(adamant_step(optimizer, &options, &report));
  CHECK(w[0] == 1.75F);
  // By index, with formats.
  const double wide[kSize] = {0.0};
  void* const wide_grad[] = {(void*)wide};
  const size_t first[] = {0};
  const int32_t f64[] = {ADAMANT_F64}, f32[] = {ADAMANT_F32};
  REFUSED(adamant_set_grads(optimizer, first, wide_grad, f64, 1), ADAMANT_MISMATCH, "f64 goes with f64 only");
  void* const grad[] = {g};
  OK(adamant_set_grads(optimizer, first, grad, f32, 1));
  OK(adamant_step(optimizer, NULL, NULL));
  CHECK(w[0] == 2.25F);
  OK(adamant_set_grads(optimizer, first, NULL, NULL, 0));
  // One that must not be written.
  const int32_t read_only[] = {ADAMANT_F32 + ADAMANT_FORMAT_READ_ONLY};
  OK(adamant_set_grads(optimizer, first, grad, read_only, 1));
  REFUSED(adamant_zero_grad(optimizer), ADAMANT_INVALID_ARGUMENT, "gradient of 'w' is read-only");
  OK(adamant_set_grads(optimizer, first, grad, f32, 1));

  // A parameter that has moved.
  memcpy(other, w, sizeof(w));
  void* const moved[] = {other};
  OK(adamant_set_params(optimizer, first, moved, 1));
  OK(adamant_step(optimizer, NULL, NULL));
  CHECK(w[0] == 2.25F && other[0] == 2.75F);
  void* const both[] = {w, table};
  OK(adamant_set_params(optimizer, NULL, both, 2));

  // Lazy rows: the last one, twice.
  const int64_t rows[] = {2, 2};
  const float values[2 * kWidth] = {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
  OK(adamant_set_lazy_row_grad(optimizer, 1, rows, 2, values, (size_t)2 * kWidth, ADAMANT_F32));
  OK(adamant_step(optimizer, NULL, NULL));
  CHECK(table[0] == 1.0F && table[2 * kWidth] == 0.5F);

  // A gradient that is not finite.
  g[3] = (float)INFINITY;
  OK(adamant_step(optimizer, NULL, &report));
  CHECK(report.applied == 0 && report.has_nonfinite == 1 && report.nonfinite_tensor == 0);
  CHECK(report.nonfinite_element == 3 && report.nonfinite_count == 1);
  adamant_free(optimizer);

  optimizer = make("sgd", "error");
  g[3] = (float)NAN;
  report.applied = 5;
  REFUSED(adamant_step(optimizer, NULL, &report), ADAMANT_NON_FINITE, "gradient of 'w' is not finite at element 3");
  CHECK(report.applied == 5);
  adamant_free(optimizer);
}

static void release(void) {
  adamant_optimizer* optimizer = make("sgd", "skip");
  STRUCT(adamant_step_options, options);
  options.grad_scale = 0.5;
  OK(adamant_begin_step(optimizer, &options));
  REFUSED(adamant_begin_step(optimizer, NULL), ADAMANT_BUSY, "between begin_step() and end_step()");
  REFUSED(adamant_step(optimizer, NULL, NULL), ADAMANT_BUSY, "between begin_step() and end_step()");
  int32_t updated = -1;
  OK(adamant_step_tensor(optimizer, 1, NULL, ADAMANT_F32, &updated));
  CHECK(updated == 0);
  OK(adamant_step_tensor(optimizer, 0, g, ADAMANT_F32, &updated));
  CHECK(updated == 1 && w[0] == 2.0F);
  REFUSED(adamant_step_tensor(optimizer, 0, g, ADAMANT_F32, NULL), ADAMANT_DUPLICATE, "has been updated");
  STRUCT(adamant_step_report, report);
  OK(adamant_end_step(optimizer, &report));
  CHECK(report.applied == 1);
  REFUSED(adamant_end_step(optimizer, NULL), ADAMANT_INVALID_ARGUMENT, "without begin_step()");
  REFUSED(adamant_step_tensor(optimizer, 0, NULL, 0, NULL), ADAMANT_INVALID_ARGUMENT, "outside begin_step()");
  adamant_free(optimizer);
}

static void states(void) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  OK(adamant_step(optimizer, NULL, NULL));
  OK(adamant_step(optimizer, NULL, NULL));
  STRUCT(adamant_tensor_info, info);
  OK(adamant_get_tensor(optimizer, 0, &info));
  TEXT(info.name, "w");
  CHECK(info.ndim == 1 && info.shape[0] == kSize && info.size == kSize && info.group == 0 && info.step == 2);
  CHECK(info.format == ADAMANT_F32 && info.state_format == 0 && info.weight_format == 0 && info.plane_count == 2);
  TEXT(info.planes[0].state, "exp_avg");
  CHECK(info.planes[0].kind == ADAMANT_VALUES && info.planes[0].element == ADAMANT_F32);
  CHECK(info.planes[0].bytes == sizeof(w));
  float state[kSize] = {0};
  OK(adamant_export_state(optimizer, 0, "exp_avg", state, kSize));
  CHECK(memcmp(state, info.planes[0].data, sizeof(state)) == 0 && state[0] != 0.0F);
  float exported[kSize];
  OK(adamant_export_param(optimizer, 0, exported, kSize));
  CHECK(memcmp(exported, w, sizeof(w)) == 0);
  exported[0] = 3.0F;
  OK(adamant_import_param(optimizer, 0, exported, kSize));
  CHECK(w[0] == 3.0F);
  OK(adamant_set_tensor_step(optimizer, 0, 41));
  OK(adamant_get_tensor(optimizer, 0, &info));
  CHECK(info.step == 41);
  const double grad_norm = 2.5;
  STRUCT(adamant_state, run);
  OK(adamant_set_progress(optimizer, 43, &grad_norm));
  OK(adamant_get_state(optimizer, &run));
  CHECK(run.steps == 43 && run.has_grad_norm == 1 && run.grad_norm == 2.5);
  OK(adamant_set_progress(optimizer, 0, NULL));
  OK(adamant_get_state(optimizer, &run));
  CHECK(run.steps == 0 && run.has_grad_norm == 0);

  // A plane in memory of ours.
  double memory[kSize / 2];
  OK(adamant_set_plane(optimizer, 0, "exp_avg", ADAMANT_VALUES, memory, sizeof(memory)));
  CHECK(memcmp(memory, state, sizeof(state)) == 0);
  OK(adamant_get_tensor(optimizer, 0, &info));
  CHECK(info.planes[0].data == memory);
  OK(adamant_set_plane(optimizer, 0, "exp_avg", ADAMANT_VALUES, NULL, 0));
  adamant_free(optimizer);
}

/// What an optimizer knows goes into another one, from its own memory.
static void loading(void) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  const adamant_value norm = text("report_norm", "true");
  OK(adamant_set_settings(optimizer, &norm, 1));
  for (int i = 0; i < 3; ++i) OK(adamant_step(optimizer, NULL, NULL));
  STRUCT(adamant_state, state);
  OK(adamant_get_state(optimizer, &state));
  CHECK(state.seed == 7 && state.steps == 3 && state.has_grad_norm == 1 && state.grad_norm > 4.3);
  CHECK(state.group_count == 1 && state.tensor_count == 2 && state.groups == NULL && state.tensors == NULL);
  STRUCT(adamant_group_info, group);
  OK(adamant_get_group(optimizer, 0, &group));

  adamant_tensor_info tensors[2] = {{0}};
  adamant_plane planes[2][2];
  size_t shapes[2][2];
  char names[2][8];
  for (size_t t = 0; t < 2; ++t) {
    tensors[t].struct_size = sizeof(tensors[t]);
    OK(adamant_get_tensor(optimizer, t, &tensors[t]));
    memcpy(planes[t], tensors[t].planes, sizeof(planes[t]));
    memcpy(shapes[t], tensors[t].shape, tensors[t].ndim * sizeof(size_t));
    strcpy(names[t], tensors[t].name);
    tensors[t].planes = planes[t];
    tensors[t].shape = shapes[t];
    tensors[t].name = names[t];
  }
  state.groups = &group;
  state.tensors = tensors;
  float kept[kSize];
  memcpy(kept, w, sizeof(w));

  OK(adamant_step(optimizer, NULL, NULL));
  OK(adamant_load(optimizer, &state));  // its own memory, one step later
  STRUCT(adamant_state, now);
  OK(adamant_get_state(optimizer, &now));
  CHECK(now.steps == 3 && now.grad_norm == state.grad_norm);

  OK(adamant_step(optimizer, NULL, NULL));
  float after[kSize];
  memcpy(after, w, sizeof(w));
  adamant_optimizer* second = make("adamw", "skip");
  memcpy(w, kept, sizeof(w));
  STRUCT(adamant_tensor_info, info);
  tensors[0].step = 3;
  OK(adamant_load(second, &state));
  OK(adamant_get_tensor(second, 0, &info));
  CHECK(info.step == 3 && memcmp(info.planes[1].data, planes[0][1].data, planes[0][1].bytes) == 0);

  tensors[1].group = 1;
  REFUSED(adamant_load(second, &state), ADAMANT_NOT_FOUND, "no group 1");
  tensors[1].group = 0;
  tensors[1].name = "w";
  REFUSED(adamant_load(second, &state), ADAMANT_DUPLICATE, "tensor name 'w' is given twice");
  state.tensor_count = 1;
  REFUSED(adamant_load(second, &state), ADAMANT_MISMATCH, "'table' is missing");
  adamant_free(second);
  adamant_free(optimizer);
}

/// How many lines a run log in use has in its file after two steps.
static int lines_after_two_steps(const char* path, double flush_seconds) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  STRUCT(adamant_run_log_options, options);
  options.flush_seconds = flush_seconds;
  adamant_run_log* log = NULL;
  OK(adamant_run_log_open(path, optimizer, &options, &log));
  STRUCT(adamant_step_report, report);
  for (int step = 0; step < 2; ++step) {
    OK(adamant_step(optimizer, NULL, &report));
    OK(adamant_run_log_step(log, optimizer, 0.5, &report));
  }
  int lines = 0;
  FILE* file = fopen(path, "r");
  CHECK(file != NULL);
  for (int c = 0; file != NULL && (c = fgetc(file)) != EOF;) lines += c == '\n';
  if (file != NULL) fclose(file);
  adamant_run_log_free(log);
  adamant_free(optimizer);
  return lines;
}

static void statistics(const char* folder) {
  adamant_optimizer* optimizer = make("adamw", "skip");
  adamant_statistics* seen = NULL;
  STRUCT(adamant_statistics_options, options);
  options.observe_every = 1;
  options.sample_every = 1;
  options.probes = 2;
  OK(adamant_statistics_create(&options, &seen));
  size_t count = 9;
  OK(adamant_statistics_count(seen, &count));
  CHECK(count == 0);
  STRUCT(adamant_step_options, step);
  STRUCT(adamant_step_report, report);
  step.statistics = seen;
  OK(adamant_step(optimizer, &step, &report));
  OK(adamant_statistics_count(seen, &count));
  CHECK(count == 1);
  STRUCT(adamant_tensor_statistics, tensor);
  OK(adamant_statistics_get(seen, 0, &tensor));
  CHECK(tensor.tensor == 0 && tensor.step == 1 && tensor.elements == kSize && tensor.sums[0] == 19.0);
  size_t sums = 0;
  OK(adamant_count(ADAMANT_SUMS, &sums));
  CHECK(tensor.sum_count == sums && tensor.bin_count == 64 && tensor.sample_elements == kSize);
  CHECK(tensor.sample_zero_grads == 1 && tensor.sample_scaled == 5 && tensor.bins[0] == 1 && tensor.probe_count == 2);
  STRUCT(adamant_probe, probe);
  OK(adamant_statistics_probe(seen, 0, 0, &probe));
  CHECK(probe.element < kSize && probe.g == (float)probe.element - 2.0F && probe.w == 1.0F);
  REFUSED(adamant_statistics_probe(seen, 0, 2, &probe), ADAMANT_NOT_FOUND, "no probe 2");
  REFUSED(adamant_statistics_get(seen, 1, &tensor), ADAMANT_NOT_FOUND, "there are 1");
  size_t moments = 0;
  OK(adamant_count(ADAMANT_MOMENTS, &moments));
  adamant_moment* values = calloc(moments + 1, sizeof(*values));
  for (size_t i = 0; i <= moments; ++i) values[i].struct_size = sizeof(*values);
  OK(adamant_statistics_moments(seen, 0, optimizer, values, moments));
  CHECK(fabs(values[0].value - sqrt(5.0 / 6.0)) < 1e-6);  // g·r of the first step is ±1, or 0
  CHECK(values[0].noise > 0.0);
  REFUSED(adamant_statistics_moments(seen, 0, optimizer, values, moments + 1), ADAMANT_MISMATCH, "are asked for");
  free(values);

  // Who is told of every step, and when the system is.
  char path[1024];
  snprintf(path, sizeof(path), "%s/flushed.jsonl", folder);
  CHECK(lines_after_two_steps(path, -1.0) == 3);
  CHECK(lines_after_two_steps(path, 1e6) < 3);
  adamant_run_log* log = NULL;
  STRUCT(adamant_run_log_options, log_options);
  const adamant_value notes[] = {number("batch_size", 32.0), text("git", "abc")};
  log_options.title = "first";
  log_options.notes = notes;
  log_options.note_count = 2;
  log_options.flush_seconds = -1.0;
  snprintf(path, sizeof(path), "%s/run.jsonl", folder);
  OK(adamant_run_log_open(path, optimizer, &log_options, &log));
  adamant_tensorboard* board = NULL;
  STRUCT(adamant_tensorboard_options, board_options);
  const char* const names[] = {"w"};
  board_options.tensors = names;
  board_options.tensor_count = 1;
  board_options.histogram_every = -1;
  OK(adamant_tensorboard_open(folder, optimizer, &board_options, &board));
  adamant_health* health = NULL;
  OK(adamant_health_create(&health));
  for (int i = 0; i < 4; ++i) {
    OK(adamant_run_log_statistics(log, &step.statistics));
    CHECK(step.statistics != NULL);
    adamant_statistics_free(step.statistics);  // the log's: it stays
    if (i == 3) g[0] = (float)NAN;
    OK(adamant_step(optimizer, &step, &report));
    OK(adamant_tensorboard_step(board, optimizer, 0.5, &report, step.statistics));
    OK(adamant_health_step(health, optimizer, 0.5, &report, step.statistics));
    OK(adamant_run_log_step(log, optimizer, 0.5, &report));
  }
  OK(adamant_run_log_flush(log));
  const char* position = NULL;
  OK(adamant_run_log_position(log, &position));
  char kept[4096];
  snprintf(kept, sizeof(kept), "%s", position);
  adamant_run_log_free(log);
  STRUCT(adamant_run_log_options, resume_options);
  resume_options.resume = kept;
  OK(adamant_run_log_open(path, optimizer, &resume_options, &log));
  OK(adamant_run_log_end(log, notes, 1));
  adamant_run_log_free(log);
  adamant_run_log_free(NULL);
  FILE* file = fopen(path, "r");
  CHECK(file != NULL);
  char line[4096] = "";
  CHECK(file != NULL && fgets(line, sizeof(line), file) != NULL);
  CHECK(strstr(line, "\"first\"") != NULL && strstr(line, "batch_size") != NULL);
  int lines = 1;
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) lines += strchr(line, '\n') != NULL;
  CHECK(lines >= 6);
  if (file != NULL) fclose(file);

  const char* board_path = NULL;
  OK(adamant_tensorboard_flush(board));
  OK(adamant_tensorboard_path(board, &board_path));
  file = fopen(board_path, "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0 && ftell(file) > 100);
  if (file != NULL) fclose(file);
  adamant_tensorboard_free(board);
  adamant_tensorboard_free(NULL);

  OK(adamant_health_count(health, &count));
  CHECK(count == 1);
  STRUCT(adamant_finding, finding);
  OK(adamant_health_get(health, 0, &finding));
  TEXT(finding.light, "input");
  TEXT(finding.cause, "non_finite");
  TEXT(finding.tensor, "w");
  CHECK(finding.severity == ADAMANT_RED && finding.step == 5);
  CHECK(strlen(finding.advice) > 0 && strlen(finding.sentence) > 0);
  int32_t light = -1;
  OK(adamant_health_light(health, 0, &light));
  CHECK(light == ADAMANT_RED);
  OK(adamant_health_light(health, 1, &light));
  CHECK(light == ADAMANT_GREEN);
  REFUSED(adamant_health_light(health, 7, &light), ADAMANT_NOT_FOUND, "no light 7");
  REFUSED(adamant_health_get(health, 1, &finding), ADAMANT_NOT_FOUND, "no finding 1");
  adamant_health_free(health);
  adamant_health_free(NULL);

  snprintf(path, sizeof(path), "%s/no/such/folder/run.jsonl", folder);
  REFUSED(adamant_run_log_open(path, optimizer, NULL, &log), ADAMANT_IO, "no/such/folder");
  CHECK(log == NULL);
  adamant_statistics_free(seen);
  adamant_statistics_free(NULL);
  adamant_free(optimizer);
}

int main(int argc, char** argv) {
  versions();
  lists();
  targets();
  options();
  groups();
  steps();
  release();
  states();
  loading();
  statistics(argc > 1 ? argv[1] : ".");
  return failures == 0 ? 0 : 1;
}
