// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What every call refuses: NULL, structs of other sizes, unknown names and numbers. Nothing else changes.
#include <math.h>

#include "tests/c/check.h"

static float w[4] = {1.0F, 1.0F, 1.0F, 1.0F}, g[4] = {1.0F, 1.0F, 1.0F, 1.0F};
static adamant_tensor tensor = {.struct_size = sizeof(adamant_tensor), .name = "w", .data = w, .size = 4, .grad = g};
static adamant_group group = {.struct_size = sizeof(adamant_group), .tensors = &tensor, .tensor_count = 1};

static adamant_config config_of(const char* rule) {
  adamant_config config = {.struct_size = sizeof(config), .rule = rule, .groups = &group, .group_count = 1};
  return config;
}

#define IS_NULL(call) REFUSED(call, ADAMANT_INVALID_ARGUMENT, "is NULL")

/// Each pointer that may not be NULL.
static void nulls(adamant_optimizer* optimizer) {
  size_t size = 0;
  const char* name = NULL;
  double bytes = 0.0;
  float values[4];
  void* pointers[1] = {w};
  const size_t tensors[1] = {0};
  STRUCT(adamant_value, value);
  STRUCT(adamant_step_report, report);
  IS_NULL(adamant_count(ADAMANT_RULES, NULL));
  IS_NULL(adamant_get_name(ADAMANT_RULES, 0, NULL));
  IS_NULL(adamant_get_rule(0, NULL));
  IS_NULL(adamant_get_option_info("adamw", 0, NULL));
  IS_NULL(adamant_get_option_info(NULL, 0, NULL));
  IS_NULL(adamant_get_setting_info(0, NULL));
  IS_NULL(adamant_get_format(ADAMANT_FORMATS, 0, NULL));
  IS_NULL(adamant_get_moment_info(0, NULL));
  IS_NULL(adamant_current_target(NULL));
  const adamant_config config = config_of("adamw"), nameless = config_of(NULL);
  adamant_optimizer* made = optimizer;
  IS_NULL(adamant_create(&config, NULL));
  IS_NULL(adamant_create(NULL, &made));
  CHECK(made == NULL);
  IS_NULL(adamant_create(&nameless, &made));
  IS_NULL(adamant_add_group(NULL, &group, NULL));
  IS_NULL(adamant_add_group(optimizer, NULL, NULL));
  IS_NULL(adamant_remove_tensor(NULL, 0));
  IS_NULL(adamant_find_tensor(NULL, "w", &size));
  IS_NULL(adamant_find_tensor(optimizer, NULL, &size));
  IS_NULL(adamant_find_tensor(optimizer, "w", NULL));
  IS_NULL(adamant_get_option(NULL, 0, "lr", &value));
  IS_NULL(adamant_get_option(optimizer, 0, NULL, &value));
  IS_NULL(adamant_get_option(optimizer, 0, "lr", NULL));
  IS_NULL(adamant_set_options(NULL, 0, &value, 1));
  IS_NULL(adamant_set_options(optimizer, 0, NULL, 1));
  IS_NULL(adamant_set_options(optimizer, 0, &value, 1));  // it has no name
  IS_NULL(adamant_set_lr(NULL, 0.1));
  IS_NULL(adamant_get_setting(NULL, "seed", &name));
  IS_NULL(adamant_get_setting(optimizer, NULL, &name));
  IS_NULL(adamant_get_setting(optimizer, "seed", NULL));
  IS_NULL(adamant_set_settings(NULL, &value, 1));
  IS_NULL(adamant_set_settings(optimizer, NULL, 1));
  IS_NULL(adamant_set_formats(NULL, "f32", "plain"));
  IS_NULL(adamant_set_formats(optimizer, NULL, "plain"));
  IS_NULL(adamant_set_formats(optimizer, "f32", NULL));
  IS_NULL(adamant_set_grads(NULL, tensors, pointers, NULL, 1));
  IS_NULL(adamant_set_grads(optimizer, tensors, NULL, NULL, 1));
  IS_NULL(adamant_set_params(NULL, tensors, pointers, 1));
  IS_NULL(adamant_set_params(optimizer, tensors, NULL, 1));
  IS_NULL(adamant_set_lazy_row_grad(NULL, 0, NULL, 0, NULL, 0, 0));
  IS_NULL(adamant_set_lazy_row_grad(optimizer, 0, NULL, 1, w, 4, 0));
  IS_NULL(adamant_zero_grad(NULL));
  IS_NULL(adamant_step(NULL, NULL, NULL));
  IS_NULL(adamant_begin_step(NULL, NULL));
  IS_NULL(adamant_step_tensor(NULL, 0, NULL, 0, NULL));
  IS_NULL(adamant_end_step(NULL, NULL));
  STRUCT(adamant_state, state);
  IS_NULL(adamant_get_state(NULL, &state));
  IS_NULL(adamant_get_state(optimizer, NULL));
  STRUCT(adamant_group_info, group_info);
  IS_NULL(adamant_get_group(NULL, 0, &group_info));
  IS_NULL(adamant_get_group(optimizer, 0, NULL));
  STRUCT(adamant_tensor_info, info);
  IS_NULL(adamant_get_tensor(NULL, 0, &info));
  IS_NULL(adamant_get_tensor(optimizer, 0, NULL));
  IS_NULL(adamant_load(NULL, &state));
  IS_NULL(adamant_load(optimizer, NULL));
  state.group_count = 1;
  IS_NULL(adamant_load(optimizer, &state));
  IS_NULL(adamant_set_tensor_step(NULL, 0, 0));
  IS_NULL(adamant_set_progress(NULL, 0, NULL));
  IS_NULL(adamant_set_plane(NULL, 0, "exp_avg", ADAMANT_VALUES, NULL, 0));
  IS_NULL(adamant_set_plane(optimizer, 0, NULL, ADAMANT_VALUES, NULL, 0));
  IS_NULL(adamant_set_plane(optimizer, 0, "exp_avg", ADAMANT_VALUES, NULL, 8));
  IS_NULL(adamant_export_param(NULL, 0, values, 4));
  IS_NULL(adamant_export_param(optimizer, 0, NULL, 4));
  IS_NULL(adamant_import_param(NULL, 0, values, 4));
  IS_NULL(adamant_import_param(optimizer, 0, NULL, 4));
  IS_NULL(adamant_export_state(NULL, 0, "exp_avg", values, 4));
  IS_NULL(adamant_export_state(optimizer, 0, NULL, values, 4));
  IS_NULL(adamant_export_state(optimizer, 0, "exp_avg", NULL, 4));
  IS_NULL(adamant_bytes_per_parameter(NULL, &bytes));
  IS_NULL(adamant_bytes_per_parameter(optimizer, NULL));
  adamant_statistics* statistics = NULL;
  STRUCT(adamant_tensor_statistics, tensor_statistics);
  STRUCT(adamant_probe, probe);
  STRUCT(adamant_moment, moment);
  IS_NULL(adamant_statistics_create(NULL, NULL));
  IS_NULL(adamant_statistics_count(NULL, &size));
  IS_NULL(adamant_statistics_get(NULL, 0, &tensor_statistics));
  IS_NULL(adamant_statistics_probe(NULL, 0, 0, &probe));
  IS_NULL(adamant_statistics_moments(NULL, 0, optimizer, &moment, 1));
  OK(adamant_statistics_create(NULL, &statistics));
  IS_NULL(adamant_statistics_count(statistics, NULL));
  adamant_statistics_free(statistics);
  adamant_run_log* log = NULL;
  IS_NULL(adamant_run_log_open(NULL, optimizer, NULL, &log));
  IS_NULL(adamant_run_log_open("run.jsonl", NULL, NULL, &log));
  IS_NULL(adamant_run_log_open("run.jsonl", optimizer, NULL, NULL));
  IS_NULL(adamant_run_log_statistics(NULL, &statistics));
  IS_NULL(adamant_run_log_step(NULL, optimizer, 0.0, &report));
  IS_NULL(adamant_run_log_end(NULL, NULL, 0));
  IS_NULL(adamant_run_log_flush(NULL));
  IS_NULL(adamant_run_log_position(NULL, &name));
  adamant_tensorboard* board = NULL;
  IS_NULL(adamant_tensorboard_open(NULL, optimizer, NULL, &board));
  IS_NULL(adamant_tensorboard_open("runs", NULL, NULL, &board));
  IS_NULL(adamant_tensorboard_open("runs", optimizer, NULL, NULL));
  IS_NULL(adamant_tensorboard_step(NULL, optimizer, 0.0, &report, NULL));
  IS_NULL(adamant_tensorboard_flush(NULL));
  IS_NULL(adamant_tensorboard_path(NULL, &name));
  adamant_health* health = NULL;
  int32_t light = 0;
  STRUCT(adamant_finding, finding);
  IS_NULL(adamant_health_create(NULL));
  OK(adamant_health_create(&health));
  IS_NULL(adamant_health_step(NULL, optimizer, 0.0, &report, NULL));
  IS_NULL(adamant_health_step(health, NULL, 0.0, &report, NULL));
  IS_NULL(adamant_health_step(health, optimizer, 0.0, NULL, NULL));
  IS_NULL(adamant_health_count(NULL, &size));
  IS_NULL(adamant_health_count(health, NULL));
  IS_NULL(adamant_health_get(NULL, 0, &finding));
  IS_NULL(adamant_health_light(NULL, 0, &light));
  IS_NULL(adamant_health_light(health, 0, NULL));
  adamant_health_free(health);
}

/// Structs of callers that were compiled against an older or newer header.
static void struct_sizes(adamant_optimizer* optimizer) {
  struct {
    adamant_step_options known;
    double newer;
  } options = {{.struct_size = sizeof(options)}, 0.0};
  OK(adamant_step(optimizer, &options.known, NULL));
  options.newer = 1.0;
  REFUSED(adamant_step(optimizer, &options.known, NULL), ADAMANT_INVALID_ARGUMENT, "what is beyond must be zeros");
  // An older struct ends before `statistics`: what follows in memory is not read.
  options.known.struct_size = offsetof(adamant_step_options, statistics);
  options.known.statistics = (adamant_statistics*)&options;
  OK(adamant_step(optimizer, &options.known, NULL));
  options.known.struct_size = 0;
  REFUSED(adamant_step(optimizer, &options.known, NULL), ADAMANT_INVALID_ARGUMENT, "has struct_size 0");
  options.known.struct_size = 1 << 20;
  REFUSED(adamant_step(optimizer, &options.known, NULL), ADAMANT_INVALID_ARGUMENT, "has struct_size 1048576");

  struct {
    adamant_step_report known;
    double newer;
  } report = {{.struct_size = sizeof(report)}, 5.0};
  OK(adamant_step(optimizer, NULL, &report.known));
  CHECK(report.known.struct_size == sizeof(report) && report.newer == 0.0 && report.known.clip_coefficient == 1.0);
  report.known.struct_size = offsetof(adamant_step_report, has_grad_norm);
  report.known.has_grad_norm = 77;
  report.known.applied = 0;
  OK(adamant_step(optimizer, NULL, &report.known));
  CHECK(report.known.applied == 1 && report.known.has_grad_norm == 77);
  // Nothing has happened when the report is refused.
  const float before = w[0];
  report.known.struct_size = 1;
  REFUSED(adamant_step(optimizer, NULL, &report.known), ADAMANT_INVALID_ARGUMENT, "has struct_size 1");
  CHECK(w[0] == before);

  // What is beyond in a struct that is filled does not matter; where sizes differ nothing is filled.
  struct {
    adamant_moment known;
    double newer;
  } moments[3];
  memset(moments, 0x77, sizeof(moments));
  for (int i = 0; i < 3; ++i) moments[i].known.struct_size = sizeof(moments[0]);
  const double garbage = moments[0].known.value;
  adamant_statistics* statistics = NULL;
  OK(adamant_statistics_create(NULL, &statistics));
  const adamant_step_options observed = {.struct_size = sizeof(observed), .statistics = statistics};
  OK(adamant_step(optimizer, &observed, NULL));
  moments[1].known.struct_size = 4096;
  REFUSED(adamant_statistics_moments(statistics, 0, optimizer, &moments[0].known, 3), ADAMANT_INVALID_ARGUMENT,
          "moment (adamant_moment) 1 has struct_size 4096, but the first has");
  CHECK(moments[0].known.value == garbage);
  moments[1].known.struct_size = sizeof(moments[0]);
  OK(adamant_statistics_moments(statistics, 0, optimizer, &moments[0].known, 3));
  CHECK(moments[0].known.value != garbage && moments[2].newer == 0.0);
  adamant_statistics_free(statistics);

  // Arrays have the stride of their first struct.
  struct {
    adamant_value known;
    double newer;
  } values[2] = {{{.struct_size = sizeof(values[0]), .name = "lr", .text = "0.5"}, 0.0},
                 {{.struct_size = sizeof(values[0]), .name = "eps", .text = "1e-3"}, 0.0}};
  OK(adamant_set_options(optimizer, 0, &values[0].known, 2));
  STRUCT(adamant_value, eps);
  OK(adamant_get_option(optimizer, 0, "eps", &eps));
  CHECK(eps.number[0] == 1e-3);
  values[1].known.struct_size = sizeof(adamant_value);
  REFUSED(adamant_set_options(optimizer, 0, &values[0].known, 2), ADAMANT_INVALID_ARGUMENT, "but the first has");
}

static void names(adamant_optimizer* optimizer) {
  STRUCT(adamant_value, value);
  const char* text = NULL;
  adamant_config config = config_of("adamv");
  adamant_optimizer* made = NULL;
  REFUSED(adamant_create(&config, &made), ADAMANT_NOT_FOUND, "adamv");
  config = config_of("adamw");
  config.preset = "q9";
  REFUSED(adamant_create(&config, &made), ADAMANT_NOT_FOUND, "q9");
  config = config_of("adamw");
  config.group_count = 0;
  REFUSED(adamant_create(&config, &made), ADAMANT_INVALID_ARGUMENT, "empty parameter list");
  REFUSED(adamant_get_option(optimizer, 0, "momentun", &value), ADAMANT_NOT_FOUND, "momentun");
  REFUSED(adamant_get_option(optimizer, 0, "momentum", &value), ADAMANT_NOT_FOUND, "has no option 'momentum'");
  REFUSED(adamant_get_option(optimizer, 1, "lr", &value), ADAMANT_NOT_FOUND, "no parameter group 1");
  REFUSED(adamant_get_setting(optimizer, "sead", &text), ADAMANT_NOT_FOUND, "sead");
  value.name = "betas";
  REFUSED(adamant_set_options(optimizer, 0, &value, 1), ADAMANT_INVALID_ARGUMENT, "betas");
  value.kind = ADAMANT_COUNT;
  REFUSED(adamant_set_options(optimizer, 0, &value, 1), ADAMANT_INVALID_ARGUMENT, "must be a text, or of kind");
  value.kind = ADAMANT_FLAG;
  value.flag = 2;
  REFUSED(adamant_set_options(optimizer, 0, &value, 1), ADAMANT_INVALID_ARGUMENT, "must be 0 or 1");
  value.flag = 1;
  REFUSED(adamant_run_log_open("run.jsonl", optimizer,
                               &(adamant_run_log_options){
                                   .struct_size = sizeof(adamant_run_log_options), .notes = &value, .note_count = 1},
                               &(adamant_run_log*){NULL}),
          ADAMANT_INVALID_ARGUMENT, "must be a text or of kind number");
  REFUSED(adamant_set_formats(optimizer, "q7", "plain"), ADAMANT_NOT_FOUND, "q7");
  REFUSED(adamant_use_target("AVX9"), ADAMANT_NOT_FOUND, "AVX9");
  REFUSED(adamant_get_option_info("adamv", 0, NULL), ADAMANT_NOT_FOUND, "adamv");
  float values[4];
  REFUSED(adamant_export_state(optimizer, 0, "exp", values, 4), ADAMANT_NOT_FOUND, "exp");
}

static void numbers(adamant_optimizer* optimizer) {
  size_t count = 0;
  float values[4] = {0};
  void* data[2] = {g, g};
  const size_t twice[2] = {0, 0}, unknown[1] = {3};
  const int32_t format[1] = {9};
  STRUCT(adamant_format_info, info);
  STRUCT(adamant_rule_info, rule);
  STRUCT(adamant_tensor_info, tensor_info);
  REFUSED(adamant_count(10, &count), ADAMANT_INVALID_ARGUMENT, "list is number 10, must be from 0 to 9");
  REFUSED(adamant_count(-1, &count), ADAMANT_INVALID_ARGUMENT, "list is number -1");
  REFUSED(adamant_get_rule(99, &rule), ADAMANT_NOT_FOUND, "no rule 99");
  REFUSED(adamant_get_format(ADAMANT_RULES, 0, &info), ADAMANT_INVALID_ARGUMENT, "not one of formats");
  REFUSED(adamant_get_format(ADAMANT_FORMATS, 99, &info), ADAMANT_NOT_FOUND, "no format 99");
  REFUSED(adamant_get_tensor(optimizer, 1, &tensor_info), ADAMANT_NOT_FOUND, "no tensor 1");
  REFUSED(adamant_remove_tensor(optimizer, 1), ADAMANT_NOT_FOUND, "no tensor 1");
  REFUSED(adamant_set_tensor_step(optimizer, 1, 0), ADAMANT_NOT_FOUND, "no tensor 1");
  REFUSED(adamant_set_tensor_step(optimizer, 0, UINT64_MAX), ADAMANT_INVALID_ARGUMENT, "must be at most 2^62");
  const double negative = -1.0;
  REFUSED(adamant_set_progress(optimizer, UINT64_MAX, NULL), ADAMANT_INVALID_ARGUMENT, "must be at most 2^62");
  REFUSED(adamant_set_progress(optimizer, 0, &negative), ADAMANT_INVALID_ARGUMENT, "grad_norm is -1");
  REFUSED(adamant_set_grads(optimizer, unknown, data, NULL, 1), ADAMANT_NOT_FOUND, "no tensor 3");
  REFUSED(adamant_set_grads(optimizer, NULL, data, NULL, 2), ADAMANT_MISMATCH, "2 gradients are given for 1 tensor");
  REFUSED(adamant_set_grads(optimizer, twice, data, format, 1), ADAMANT_INVALID_ARGUMENT, "number 9");
  const int32_t twice_read_only[1] = {2 * ADAMANT_FORMAT_READ_ONLY};
  REFUSED(adamant_set_grads(optimizer, twice, data, twice_read_only, 1), ADAMANT_INVALID_ARGUMENT, "number 256");
  // A list of none changes none; without a list, it is all tensors that are given too few.
  OK(adamant_set_params(optimizer, twice, NULL, 0));
  OK(adamant_set_grads(optimizer, twice, NULL, NULL, 0));
  REFUSED(adamant_set_params(optimizer, NULL, NULL, 0), ADAMANT_MISMATCH, "0 parameters are given for 1 tensor");
  REFUSED(adamant_set_grads(optimizer, NULL, NULL, NULL, 0), ADAMANT_MISMATCH, "0 gradients are given for 1 tensor");
  REFUSED(adamant_set_params(optimizer, twice, data, 1), ADAMANT_DUPLICATE, "gradient of 'w' shares memory");
  data[0] = data[1] = values;
  REFUSED(adamant_set_params(optimizer, twice, data, 2), ADAMANT_DUPLICATE, "is given twice");
  REFUSED(adamant_set_grads(optimizer, twice, data, NULL, 2), ADAMANT_DUPLICATE, "gradient of 'w' is given twice");
  REFUSED(adamant_set_plane(optimizer, 0, "exp_avg", 3, NULL, 0), ADAMANT_INVALID_ARGUMENT, "kind of a plane");
  REFUSED(adamant_set_plane(optimizer, 0, "exp_avg", ADAMANT_VALUES, values, 0), ADAMANT_INVALID_ARGUMENT,
          "memory is not NULL but has 0 bytes");
  REFUSED(adamant_set_plane(optimizer, 0, NULL, ADAMANT_LOW_BITS, NULL, 0), ADAMANT_NOT_FOUND, "keep none");
  REFUSED(adamant_export_param(optimizer, 0, values, 3), ADAMANT_MISMATCH, "3 elements");
  REFUSED(adamant_export_state(optimizer, 0, "exp_avg", values, 3), ADAMANT_MISMATCH, "3 elements");
  REFUSED(adamant_import_param(optimizer, 0, values, 3), ADAMANT_MISMATCH, "3 elements");
  REFUSED(adamant_set_lr(optimizer, -1.0), ADAMANT_INVALID_ARGUMENT, "learning rate");
  STRUCT(adamant_step_options, options);
  options.grad_scale = -1.0;
  // Refused steps leave the gradients that were set.
  float nan_grad[4] = {NAN, NAN, NAN, NAN};
  void* const nan_grads[1] = {nan_grad};
  options.grads = nan_grads;
  options.grad_count = 1;
  REFUSED(adamant_step(optimizer, &options, NULL), ADAMANT_INVALID_ARGUMENT, "grad_scale");
  REFUSED(adamant_begin_step(optimizer, &options), ADAMANT_INVALID_ARGUMENT, "grad_scale");
  const adamant_value error = {.struct_size = sizeof(error), .name = "nonfinite", .text = "error"};
  OK(adamant_set_settings(optimizer, &error, 1));
  options.grad_scale = 1.0;
  REFUSED(adamant_step(optimizer, &options, NULL), ADAMANT_NON_FINITE, "gradient of 'w' is not finite");
  OK(adamant_step(optimizer, NULL, NULL));
  REFUSED(adamant_step_tensor(optimizer, 0, g, -1, NULL), ADAMANT_INVALID_ARGUMENT, "format of a gradient");

  adamant_tensor wrong = tensor;
  const adamant_group of_wrong = {.struct_size = sizeof(of_wrong), .tensors = &wrong, .tensor_count = 1};
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_DUPLICATE, "'w' is given twice");
  wrong.name = NULL;
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_INVALID_ARGUMENT, "name of a tensor is NULL");
  wrong.name = "v";
  wrong.flags = 4;
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_INVALID_ARGUMENT, "flags of tensor 'v'");
  wrong.flags = ADAMANT_READ_ONLY;
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_INVALID_ARGUMENT, "parameter 'v' is read-only");
  wrong.flags = 0;
  wrong.format = 4;
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_INVALID_ARGUMENT, "format of a parameter is number 4");
  wrong.format = ADAMANT_F32;
  wrong.ndim = 1;
  REFUSED(adamant_add_group(optimizer, &of_wrong, NULL), ADAMANT_INVALID_ARGUMENT, "shape of a tensor is NULL");
  adamant_statistics* statistics = NULL;
  const adamant_statistics_options flags = {.struct_size = sizeof(flags), .flags = 8};
  REFUSED(adamant_statistics_create(&flags, &statistics), ADAMANT_INVALID_ARGUMENT, "flags of statistics");
}

/// Long texts of errors are cut, and the last one stays.
static void errors(adamant_optimizer* optimizer) {
  size_t index = 0;
  char name[5000];
  memset(name, 'x', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  STRUCT(adamant_value, value);
  value.name = name;
  CHECK(adamant_set_options(optimizer, 0, &value, 1) == ADAMANT_NOT_FOUND);
  CHECK(strlen(adamant_last_error()) <= 2047 && strlen(adamant_last_error()) > 100);
  REFUSED(adamant_find_tensor(optimizer, "v", &index), ADAMANT_NOT_FOUND, "no tensor 'v'");
  OK(adamant_find_tensor(optimizer, "w", &index));
  CHECK(strstr(adamant_last_error(), "no tensor 'v'") != NULL);
  // They are UTF-8, whatever the caller's texts are.
  adamant_run_log* log = NULL;
  REFUSED(adamant_run_log_open("no/\xC3\xA9\xC3/\xFF", optimizer, NULL, &log), ADAMANT_IO, "no/\xC3\xA9?/?");
  REFUSED(adamant_set_formats(optimizer, "q\xFF", "plain"), ADAMANT_NOT_FOUND, "'q\\xff'");
}

/// A checkpoint has each plane once and every option.
static void checkpoints(adamant_optimizer* optimizer) {
  STRUCT(adamant_state, state);
  STRUCT(adamant_group_info, one_group);
  STRUCT(adamant_tensor_info, one_tensor);
  OK(adamant_get_state(optimizer, &state));
  OK(adamant_get_group(optimizer, 0, &one_group));
  OK(adamant_get_tensor(optimizer, 0, &one_tensor));
  state.groups = &one_group;
  state.tensors = &one_tensor;
  OK(adamant_load(optimizer, &state));
  const adamant_plane planes[] = {one_tensor.planes[0], one_tensor.planes[1], one_tensor.planes[0]};
  one_tensor.planes = planes;
  one_tensor.plane_count = 3;
  REFUSED(adamant_load(optimizer, &state), ADAMANT_DUPLICATE, "a plane of tensor 'w' is given twice");
  one_tensor.plane_count = 2;
  --one_group.option_count;
  REFUSED(adamant_load(optimizer, &state), ADAMANT_MISMATCH, "of group 0 is missing");
}

int main(void) {
  adamant_optimizer* optimizer = NULL;
  const adamant_config config = config_of("adamw");
  OK(adamant_create(&config, &optimizer));
  nulls(optimizer);
  struct_sizes(optimizer);
  names(optimizer);
  numbers(optimizer);
  errors(optimizer);
  checkpoints(optimizer);
  adamant_free(optimizer);
  return failures == 0 ? 0 : 1;
}
