// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The C interface: the same engine as the C++ classes, for C99 and for every language that calls C. docs/c.md shows how
// it is used.
//
// Statuses. Every call that can be refused returns an adamant_status. Then nothing has changed, unless the call says
// otherwise, and adamant_last_error() says why. No C++ exception leaves a call. A NULL where the call does not allow it
// is refused (ADAMANT_INVALID_ARGUMENT).
//
// Names. Rules, options, settings, formats and presets have the names of the C++ interface, which adamant_count() and
// the calls after it enumerate. A library that knows more of them needs no other header.
//
// Structs. The first member of every struct is struct_size, which the caller sets to the sizeof of the struct that it
// was compiled with; the rest may be zeros, which always mean the default. Members that a caller's shorter struct lacks
// count as zeros; it ends at the end of a member. A longer one than the library knows is accepted if what is beyond is
// zeros. A call that fills a struct writes no more than struct_size, and zeros to what it does not know, whatever was
// there. In an array, all structs have the struct_size of the first.
//
// Texts. All are UTF-8, ended by a zero byte. Those that a call takes are copied. Those that it hands out, and arrays
// in a struct that it fills, belong to the library: of lists they stay for ever, all others until the next call on the
// same thread that hands out a struct or text of that kind, or the thread ends.
//
// Threads. Different handles may be used at the same time. Two calls at once that change or copy one optimizer: the
// second is refused (ADAMANT_BUSY). Calls that only read an optimizer may run at the same time as each other, not while
// another changes it. Each of the other handles takes one call at a time, and nothing may use a handle while it is
// freed.
#ifndef ADAMANT_ADAMANT_H
#define ADAMANT_ADAMANT_H

#include <adamant/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Versions and errors

/// Number of this binary interface. It changes where a program that was compiled before no longer works; new calls, and
/// new members at the end of structs, do not change it.
#define ADAMANT_ABI 1
/// That of the library that is linked. A loader compares it with ADAMANT_ABI before it calls anything else.
ADAMANT_EXPORT uint32_t adamant_abi(void);
/// Version of the library that is linked: "0.1.0".
ADAMANT_EXPORT const char* adamant_version(void);

/// What a call was refused for; the numbers never change.
typedef int32_t adamant_status;
enum {
  ADAMANT_OK = 0,
  ADAMANT_INVALID_ARGUMENT = 1,  ///< a value outside its range, or a call at the wrong time
  ADAMANT_NOT_FOUND = 2,         ///< nothing of that name or index
  ADAMANT_DUPLICATE = 3,         ///< a name or memory given twice, or a tensor updated twice in one step
  ADAMANT_MISMATCH = 4,          ///< sizes, formats, rules or formula ids that do not belong together
  ADAMANT_NON_FINITE = 5,        ///< a NaN or infinite gradient, where the setting nonfinite is "error"
  ADAMANT_BUSY = 6,              ///< a call while another one runs, or while a step by tensors is open
  ADAMANT_IO = 7,                ///< a file that cannot be read or written
  ADAMANT_OUT_OF_MEMORY = 8,
  ADAMANT_INTERNAL = 9  ///< an error that the library does not know
};
/// "ok", "invalid_argument", ...; "unknown" for another number.
ADAMANT_EXPORT const char* adamant_status_name(adamant_status status);
/// What the last refused call on this thread was refused for: the offending thing, its value and the rule it broke.
/// Empty if none was. Valid until the next refused call on this thread, or the thread ends; never NULL. Long texts are
/// cut at 2047 bytes. Bytes of the caller's that are not UTF-8 become question marks.
ADAMANT_EXPORT const char* adamant_last_error(void);

// ---- Handles

typedef struct adamant_optimizer adamant_optimizer;
typedef struct adamant_statistics adamant_statistics;    ///< what a step says about the moments
typedef struct adamant_checkpoints adamant_checkpoints;  ///< the checkpoints of a run
typedef struct adamant_run_log adamant_run_log;          ///< a file that describes every step of a run
typedef struct adamant_tensorboard adamant_tensorboard;  ///< the same for TensorBoard
typedef struct adamant_health adamant_health;            ///< finds what goes wrong in a run

// ---- Values by name

/// Kinds of values.
enum {
  ADAMANT_NUMBER = 0,  ///< number[0]; of a setting: a number, or "none"
  ADAMANT_PAIR = 1,    ///< number[0] and number[1]
  ADAMANT_FLAG = 2,    ///< flag: 0 or 1
  ADAMANT_WORD = 3,    ///< of a setting: one of a list
  ADAMANT_COUNT = 4    ///< of a setting: a whole number that is not negative
};

/// A value with a name: an option of a rule, a setting of an optimizer, or a note of a run log. To set one, give either
/// a text or a kind (number, pair or flag) with its value; options and settings read texts ("0.001", "0.9,0.999",
/// "true"). A flag is set by the texts "true" and "false" or by kind ADAMANT_FLAG, not by a number. Where a call hands
/// it out, both are filled.
typedef struct adamant_value {
  size_t struct_size;
  const char* name;
  const char* text;  ///< if not NULL, this is the value
  int32_t kind;
  int32_t flag;
  double number[2];
} adamant_value;

// ---- What the library knows

/// The lists that can be enumerated.
enum {
  ADAMANT_RULES = 0,           ///< adamant_get_rule
  ADAMANT_SETTINGS = 1,        ///< adamant_get_setting_info
  ADAMANT_FORMATS = 2,         ///< adamant_get_format: of parameters and gradients
  ADAMANT_STATE_FORMATS = 3,   ///< adamant_get_format
  ADAMANT_WEIGHT_FORMATS = 4,  ///< adamant_get_format
  ADAMANT_PRESETS = 5,         ///< adamant_get_name
  ADAMANT_TARGETS = 6,         ///< adamant_get_name: instruction sets of this build and CPU, best first
  ADAMANT_MOMENTS = 7,         ///< adamant_get_moment_info: statistics of a tensor
  ADAMANT_SUMS = 8,            ///< adamant_get_name: the sums that they are made of
  ADAMANT_LIGHTS = 9           ///< adamant_get_name: what health checks look at
};
/// Number of entries of a list.
ADAMANT_EXPORT adamant_status adamant_count(int32_t list, size_t* count);
/// Name of an entry, of any list.
ADAMANT_EXPORT adamant_status adamant_get_name(int32_t list, size_t index, const char** name);

typedef struct adamant_rule_info {
  size_t struct_size;
  const char* name;   ///< "adamw"
  const char* title;  ///< "AdamW"
  size_t option_count;
} adamant_rule_info;
ADAMANT_EXPORT adamant_status adamant_get_rule(size_t index, adamant_rule_info* info);

typedef struct adamant_option_info {
  size_t struct_size;
  const char* name;
  const char* default_text;  ///< "(0.9, 0.999)"
  const char* range;         ///< of each of its numbers: "a finite f32 number >= 0"
  int32_t kind;              ///< ADAMANT_NUMBER, ADAMANT_PAIR or ADAMANT_FLAG
  int32_t default_flag;
  double default_number[2];
  double least, most;  ///< both included
  int32_t or_zero;     ///< whether 0 is allowed too
  int32_t unused;
} adamant_option_info;
/// An option of the rule of that name, by index.
ADAMANT_EXPORT adamant_status adamant_get_option_info(const char* rule, size_t index, adamant_option_info* info);

typedef struct adamant_setting_info {
  size_t struct_size;
  const char* name;
  const char* default_text;
  const char* range;
  int32_t kind;  ///< ADAMANT_WORD, ADAMANT_NUMBER, ADAMANT_COUNT or ADAMANT_FLAG
  int32_t unused;
} adamant_setting_info;
ADAMANT_EXPORT adamant_status adamant_get_setting_info(size_t index, adamant_setting_info* info);

/// Formats of parameters and gradients, by number; the numbers never change. Their index in ADAMANT_FORMATS is the
/// same.
enum { ADAMANT_F32 = 0, ADAMANT_F64 = 1, ADAMANT_BF16 = 2, ADAMANT_F16 = 3 };

/// A format of numbers (ADAMANT_FORMATS), of states (ADAMANT_STATE_FORMATS) or of weights (ADAMANT_WEIGHT_FORMATS).
typedef struct adamant_format_info {
  size_t struct_size;
  const char* name;        ///< "bf16"
  size_t bytes;            ///< of an element; of a weight: in addition to its parameter
  size_t group;            ///< neighbouring elements that share something: an exponent; 1 if none do
  size_t group_bytes;      ///< of what they share
  int32_t compact;         ///< 1 if small tensors keep f32 states or split16 weights instead
  int32_t element;         ///< number format of one element; -1 if an element is no number of its own
  double max_finite;       ///< largest finite value; 0 if there is no `element`
  double smallest_normal;  ///< smallest positive normal value; 0 if there is no `element`
} adamant_format_info;
ADAMANT_EXPORT adamant_status adamant_get_format(int32_t list, size_t index, adamant_format_info* info);

/// How to read a statistic of the moments.
typedef struct adamant_moment_info {
  size_t struct_size;
  const char* name;      ///< "lag"
  const char* title;     ///< "Lag of v"
  const char* unit;      ///< "degrees", "octaves", "lr", "loss"; empty: a ratio
  const char* question;  ///< the question that it answers
  const char* formula;
  const char* reading;  ///< how to read a value
} adamant_moment_info;
ADAMANT_EXPORT adamant_status adamant_get_moment_info(size_t index, adamant_moment_info* info);

/// Name of the instruction set in use.
ADAMANT_EXPORT adamant_status adamant_current_target(const char** name);
/// Makes all optimizers of the process use that instruction set; NULL: the best one. The results never depend on it.
/// Not while a step runs.
ADAMANT_EXPORT adamant_status adamant_use_target(const char* name);

// ---- Optimizers

/// Flags of memory.
enum {
  ADAMANT_READ_ONLY = 1,      ///< the parameter must not be written: it is refused
  ADAMANT_GRAD_READ_ONLY = 2  ///< the gradient must not be written: adamant_zero_grad refuses
};

/// One parameter, in the caller's memory, which must outlive its use. Checkpoints match parameters by name: unique, not
/// empty, at most 512 bytes.
typedef struct adamant_tensor {
  size_t struct_size;
  const char* name;
  void* data;
  size_t size;          ///< elements
  const size_t* shape;  ///< `ndim` numbers, whose product is `size`; NULL: one dimension
  size_t ndim;
  void* grad;           ///< `size` elements; NULL: without a gradient a tensor is left alone
  int32_t format;       ///< ADAMANT_F32, ...
  int32_t grad_format;  ///< of `grad`
  uint32_t flags;
  uint32_t unused;
} adamant_tensor;

/// Parameters that share a rule and its options.
typedef struct adamant_group {
  size_t struct_size;
  const adamant_tensor* tensors;
  size_t tensor_count;
  const char* rule;              ///< NULL: the optimizer's
  const adamant_value* options;  ///< the others are the optimizer's, or, of another rule, that rule's defaults
  size_t option_count;
} adamant_group;

/// What an optimizer is made of.
typedef struct adamant_config {
  size_t struct_size;
  const char* rule;  ///< "adamw"
  const adamant_group* groups;
  size_t group_count;
  const adamant_value* options;  ///< defaults of all groups of this rule, also of those that are added later
  size_t option_count;
  const char* preset;             ///< NULL, or a preset of formats: "b16"
  const adamant_value* settings;  ///< applied after the preset
  size_t setting_count;
} adamant_config;

/// Makes an optimizer; *optimizer is set to NULL if it is refused. Refuses what the C++ constructor refuses.
ADAMANT_EXPORT adamant_status adamant_create(const adamant_config* config, adamant_optimizer** optimizer);
/// Forgets the optimizer; NULL is ignored.
ADAMANT_EXPORT void adamant_free(adamant_optimizer* optimizer);

/// Adds a group; *index (may be NULL) is its number.
ADAMANT_EXPORT adamant_status adamant_add_group(adamant_optimizer* optimizer, const adamant_group* group,
                                                size_t* index);
/// Forgets a tensor and its states. Later tensors move up by one index; groups stay.
ADAMANT_EXPORT adamant_status adamant_remove_tensor(adamant_optimizer* optimizer, size_t tensor);
/// Index of the tensor of that name.
ADAMANT_EXPORT adamant_status adamant_find_tensor(const adamant_optimizer* optimizer, const char* name, size_t* tensor);

/// An option of a group.
ADAMANT_EXPORT adamant_status adamant_get_option(const adamant_optimizer* optimizer, size_t group, const char* name,
                                                 adamant_value* value);
/// Changes options of a group: all of them or, if one is refused, none. The states must stay the same.
ADAMANT_EXPORT adamant_status adamant_set_options(adamant_optimizer* optimizer, size_t group,
                                                  const adamant_value* options, size_t count);
/// Sets the learning rate of every group.
ADAMANT_EXPORT adamant_status adamant_set_lr(adamant_optimizer* optimizer, double lr);

/// A setting, as text.
ADAMANT_EXPORT adamant_status adamant_get_setting(const adamant_optimizer* optimizer, const char* name,
                                                  const char** text);
/// Changes settings: all of them or none. Formats, seed and threads must stay the same.
ADAMANT_EXPORT adamant_status adamant_set_settings(adamant_optimizer* optimizer, const adamant_value* settings,
                                                   size_t count);
/// Converts states and weights to the formats of those names.
ADAMANT_EXPORT adamant_status adamant_set_formats(adamant_optimizer* optimizer, const char* state, const char* weights);

// ---- Gradients and parameters

/// Added to the format of a gradient in a list: its memory must not be written, so that adamant_zero_grad refuses.
enum { ADAMANT_FORMAT_READ_ONLY = 256 };

/// Points tensors at other gradients, which are read during the step. data[i] is the memory of the gradient, NULL for
/// none, of tensor tensors[i]; without `tensors`, of tensor i, and `count` is the number of all tensors. formats[i] is
/// its format; without `formats`, that of the parameter. All gradients are set or, if one is refused, none.
ADAMANT_EXPORT adamant_status adamant_set_grads(adamant_optimizer* optimizer, const size_t* tensors, void* const* data,
                                                const int32_t* formats, size_t count);
/// Points tensors at the memory to which their parameters have moved; lists as above. All are moved or none.
ADAMANT_EXPORT adamant_status adamant_set_params(adamant_optimizer* optimizer, const size_t* tensors, void* const* data,
                                                 size_t count);
/// Gives a tensor of shape [rows, width...] a sparse gradient, for lazy steps: `values` holds the `row_count` rows of
/// the given numbers, `size` elements in all. Both are read during the step.
ADAMANT_EXPORT adamant_status adamant_set_lazy_row_grad(adamant_optimizer* optimizer, size_t tensor,
                                                        const int64_t* rows, size_t row_count, const void* values,
                                                        size_t size, int32_t format);
/// Fills every gradient with zeros. Refused if one is read-only, as those of rows are.
ADAMANT_EXPORT adamant_status adamant_zero_grad(adamant_optimizer* optimizer);

// ---- The step

typedef struct adamant_step_options {
  size_t struct_size;
  double grad_scale;               ///< the loss was multiplied by it; gradients are divided by it. 0: 1
  adamant_statistics* statistics;  ///< filled by the step, if not NULL
  void* const* grads;              ///< if not NULL: sets these gradients in the same call, as adamant_set_grads does
  const size_t* grad_tensors;      ///< its `tensors`
  const int32_t* grad_formats;     ///< its `formats`
  size_t grad_count;               ///< its `count`
} adamant_step_options;

typedef struct adamant_step_report {
  size_t struct_size;
  int32_t applied;          ///< 0 if a gradient that is not finite made the step change nothing
  int32_t has_grad_norm;    ///< 1 if the global norm was computed
  double grad_norm;         ///< of the unscaled gradients, before clipping
  double clip_coefficient;  ///< the factor that clipped the norm: 1 if nothing was clipped
  int32_t has_nonfinite;    ///< 1 if a gradient was found that is not finite
  int32_t unused;
  size_t nonfinite_tensor;   ///< the first tensor with such an element
  size_t nonfinite_element;  ///< the element
  uint64_t nonfinite_count;  ///< number of such elements in all tensors
} adamant_step_report;

/// One step on every tensor that has a gradient. `options` and `report` may be NULL. Gradients in `options` stay set;
/// if the step is refused, those before it do.
ADAMANT_EXPORT adamant_status adamant_step(adamant_optimizer* optimizer, const adamant_step_options* options,
                                           adamant_step_report* report);
/// Begins a step tensor by tensor, whose gradients can be freed one by one; `options` may be NULL.
ADAMANT_EXPORT adamant_status adamant_begin_step(adamant_optimizer* optimizer, const adamant_step_options* options);
/// Updates a tensor with this gradient of that format, which is not read after the call; NULL: with the one that is
/// set. *updated (may be NULL) is 0 if the gradient is missing or not finite. Where it is refused because the
/// gradient is not finite, adamant_end_step counts that too, unless a later try has a finite one.
ADAMANT_EXPORT adamant_status adamant_step_tensor(adamant_optimizer* optimizer, size_t tensor, const void* grad,
                                                  int32_t format, int32_t* updated);
/// Ends the step; `report` may be NULL.
ADAMANT_EXPORT adamant_status adamant_end_step(adamant_optimizer* optimizer, adamant_step_report* report);

// ---- What an optimizer holds

/// What a plane of memory holds.
enum {
  ADAMANT_VALUES = 0,     ///< a state, element by element
  ADAMANT_EXPONENTS = 1,  ///< what groups of neighbouring elements of a state share
  ADAMANT_LOW_BITS = 2    ///< low-order bits of the weights of a bf16 parameter
};

/// Contiguous memory that the optimizer keeps for a tensor.
typedef struct adamant_plane {
  size_t struct_size;
  const char* state;  ///< "exp_avg"; NULL for ADAMANT_LOW_BITS
  const void* data;   ///< valid until formats, memory or tensors of the optimizer change
  size_t bytes;
  int32_t kind;
  int32_t element;  ///< number format of its elements, as many as the tensor has; -1 if they are no numbers
} adamant_plane;

/// A tensor. With adamant_group_info it is also what adamant_load takes.
typedef struct adamant_tensor_info {
  size_t struct_size;
  const char* name;
  const size_t* shape;
  size_t ndim;
  size_t size;    ///< elements
  size_t group;   ///< number of its group
  uint64_t step;  ///< steps that this tensor has taken
  const adamant_plane* planes;
  size_t plane_count;
  int32_t format;         ///< of the parameter
  int32_t state_format;   ///< index in ADAMANT_STATE_FORMATS
  int32_t weight_format;  ///< index in ADAMANT_WEIGHT_FORMATS
  int32_t unused;
} adamant_tensor_info;

/// A group.
typedef struct adamant_group_info {
  size_t struct_size;
  const char* rule;              ///< "adamw"
  const char* formula;           ///< id of the exact operation tree: "adamw-1"
  const adamant_value* options;  ///< every option of the rule
  size_t option_count;
} adamant_group_info;

/// A whole optimizer. With `groups` and `tensors` it is everything that an optimizer knows but the parameters.
typedef struct adamant_state {
  size_t struct_size;
  uint64_t seed;   ///< of the dither
  uint64_t steps;  ///< steps of the run
  int32_t has_grad_norm;
  int32_t unused;
  double grad_norm;  ///< the last finite norm: a step by tensors clips by it
  size_t group_count;
  size_t tensor_count;
  const adamant_group_info* groups;    ///< read by adamant_load; adamant_get_state sets it to NULL
  const adamant_tensor_info* tensors;  ///< read by adamant_load; adamant_get_state sets it to NULL
} adamant_state;

ADAMANT_EXPORT adamant_status adamant_get_state(const adamant_optimizer* optimizer, adamant_state* state);
ADAMANT_EXPORT adamant_status adamant_get_group(const adamant_optimizer* optimizer, size_t group,
                                                adamant_group_info* info);
/// The planes are the optimizer's own memory: nothing is copied.
ADAMANT_EXPORT adamant_status adamant_get_tensor(const adamant_optimizer* optimizer, size_t tensor,
                                                 adamant_tensor_info* info);
/// Takes over options, step counts and states, as load_state_dict of C++ does; the planes are copied into the
/// optimizer's. Everything that the calls above have filled is needed, in any order of the tensors; `size` and `format`
/// of a tensor and `element` of a plane are not read. Refuses, with nothing changed, what does not fit this optimizer,
/// and planes in memory that it writes, but for the very plane that they are loaded into.
ADAMANT_EXPORT adamant_status adamant_load(adamant_optimizer* optimizer, const adamant_state* state);
/// Sets the number of steps that a tensor has taken: at most 2^62.
ADAMANT_EXPORT adamant_status adamant_set_tensor_step(adamant_optimizer* optimizer, size_t tensor, uint64_t step);
/// Sets what adamant_state says of the run, where states come from elsewhere: its steps, at most 2^62, and the last
/// finite norm; NULL: there is none.
ADAMANT_EXPORT adamant_status adamant_set_progress(adamant_optimizer* optimizer, uint64_t steps,
                                                   const double* grad_norm);

/// Moves a plane into the caller's memory, where it is used in place from now on: `bytes` as adamant_plane has them, at
/// a multiple of 8 bytes, which the optimizer uses for nothing else. NULL and 0 bytes move it back. `state` is NULL for
/// ADAMANT_LOW_BITS.
ADAMANT_EXPORT adamant_status adamant_set_plane(adamant_optimizer* optimizer, size_t tensor, const char* state,
                                                int32_t kind, void* memory, size_t bytes);
/// The weights with their low-order bits, as `size` f32 numbers.
ADAMANT_EXPORT adamant_status adamant_export_param(const adamant_optimizer* optimizer, size_t tensor, float* values,
                                                   size_t size);
/// Sets parameter and low-order bits.
ADAMANT_EXPORT adamant_status adamant_import_param(adamant_optimizer* optimizer, size_t tensor, const float* values,
                                                   size_t size);
/// A state as `size` f32 numbers.
ADAMANT_EXPORT adamant_status adamant_export_state(const adamant_optimizer* optimizer, size_t tensor, const char* state,
                                                   float* values, size_t size);
/// Bytes of parameters, states and bookkeeping, divided by the number of parameters.
ADAMANT_EXPORT adamant_status adamant_bytes_per_parameter(const adamant_optimizer* optimizer, double* bytes);

// ---- Statistics of the moments

/// How much of a step is observed. 0 everywhere observes one block in 32, or fewer, as C++ does by default.
typedef struct adamant_statistics_options {
  size_t struct_size;
  uint32_t observe_every;  ///< one in so many blocks of 256 elements; 0: one in 32, or fewer
  uint32_t sample_every;   ///< one in so many blocks for the histogram of scales; 0: one in 256
  uint32_t probes;         ///< elements followed in each tensor; 0: 8
  uint32_t flags;          ///< ADAMANT_NO_SAMPLE, ADAMANT_NO_PROBES
} adamant_statistics_options;
enum { ADAMANT_NO_SAMPLE = 1, ADAMANT_NO_PROBES = 2 };

/// Makes an empty one, to be passed to steps, which must end before it is freed; `options` may be NULL.
ADAMANT_EXPORT adamant_status adamant_statistics_create(const adamant_statistics_options* options,
                                                        adamant_statistics** statistics);
/// NULL is ignored, and so is what adamant_run_log_statistics hands out, which is the log's.
ADAMANT_EXPORT void adamant_statistics_free(adamant_statistics* statistics);
/// Number of tensors that the step updated; 0 if it was not applied.
ADAMANT_EXPORT adamant_status adamant_statistics_count(const adamant_statistics* statistics, size_t* count);

/// One tensor in one step; statistics.hpp defines each number. Arrays are valid until the next step.
typedef struct adamant_tensor_statistics {
  size_t struct_size;
  size_t tensor;       ///< index in the optimizer
  uint64_t step;       ///< step of this tensor, counted from 1
  uint64_t elements;   ///< number of elements in the sums
  const double* sums;  ///< in the order of ADAMANT_SUMS
  size_t sum_count;
  uint64_t sample_elements;  ///< the sample: its elements, those with g = 0, and those with v > 0
  uint64_t sample_zero_grads;
  uint64_t sample_scaled;
  double sample_log_sum;     ///< sum of log2 of the root of v over those with v > 0
  double sample_log_sq_sum;  ///< sum of its square
  const uint32_t* bins;      ///< histogram of the root of v: bin 0 counts v = 0
  size_t bin_count;
  size_t probe_count;
} adamant_tensor_statistics;
ADAMANT_EXPORT adamant_status adamant_statistics_get(const adamant_statistics* statistics, size_t index,
                                                     adamant_tensor_statistics* tensor);

/// One element of a tensor that is followed.
typedef struct adamant_probe {
  size_t struct_size;
  size_t element;
  float g, m, v, u, w;
  float unused;
} adamant_probe;
ADAMANT_EXPORT adamant_status adamant_statistics_probe(const adamant_statistics* statistics, size_t index, size_t probe,
                                                       adamant_probe* value);

/// The lines to draw with a statistic; NaN if there is none.
typedef struct adamant_moment {
  size_t struct_size;
  double value;      ///< NaN if it is not defined
  double noise;      ///< value for noise alone
  double bound;      ///< cannot be exceeded
  double low, high;  ///< the healthy range
} adamant_moment;
/// Fills `count` structs with the statistics of one tensor, in the order of ADAMANT_MOMENTS; the struct_size of each is
/// set. `optimizer` still has the options of that step.
ADAMANT_EXPORT adamant_status adamant_statistics_moments(const adamant_statistics* statistics, size_t index,
                                                         const adamant_optimizer* optimizer, adamant_moment* moments,
                                                         size_t count);

// ---- Checkpoints

typedef struct adamant_save_options {
  size_t struct_size;
  const adamant_value* metadata;  ///< texts of the caller's that go with the state: "epoch"
  size_t metadata_count;
  uint64_t max_file_bytes;  ///< tensors beyond it go to further files; 0: one file
  int32_t params;           ///< 1: the parameters, too
  int32_t unused;
} adamant_save_options;

typedef struct adamant_load_options {
  size_t struct_size;
  int32_t params;  ///< 1: the parameters, too
  int32_t round;   ///< 1: states of another format are converted also where that rounds
} adamant_load_options;

/// What a checkpoint contains. Its parts are valid until this thread's next call that fills such a struct.
typedef struct adamant_checkpoint_info {
  size_t struct_size;
  uint64_t steps;
  uint64_t bytes;  ///< of all files
  const adamant_value* metadata;
  size_t metadata_count;
  const char* const* files;
  size_t file_count;
  const adamant_group_info* groups;
  size_t group_count;
  const adamant_tensor_info* tensors;  ///< without planes; `format` is -1
  size_t tensor_count;
  int32_t state_format;   ///< of the settings: index in ADAMANT_STATE_FORMATS
  int32_t weight_format;  ///< of the settings: index in ADAMANT_WEIGHT_FORMATS
  int32_t params;         ///< 1: it has the parameters
  int32_t unused;
} adamant_checkpoint_info;

/// Writes everything that the optimizer knows to a safetensors file, which is complete or not there: the old file of
/// that path stays until the new one is on the disk. `options` may be NULL.
ADAMANT_EXPORT adamant_status adamant_save(const adamant_optimizer* optimizer, const char* path,
                                           const adamant_save_options* options);
/// Takes a checkpoint over. Reads and checks all of it first; where it is refused, nothing has changed. `options` and
/// `info` may be NULL.
ADAMANT_EXPORT adamant_status adamant_load_file(adamant_optimizer* optimizer, const char* path,
                                                const adamant_load_options* options, adamant_checkpoint_info* info);
/// Describes a checkpoint without reading its states.
ADAMANT_EXPORT adamant_status adamant_inspect(const char* path, adamant_checkpoint_info* info);
/// Reads all files of a checkpoint and compares their checksums.
ADAMANT_EXPORT adamant_status adamant_verify(const char* path);

typedef struct adamant_checkpoints_options {
  size_t struct_size;
  size_t keep;              ///< as many stay; 0: 2
  uint64_t max_file_bytes;  ///< as in adamant_save_options
  int32_t params;           ///< as in adamant_save_options
  int32_t unused;
} adamant_checkpoints_options;

/// The checkpoints of one run in a folder, which is made if it is not there. `options` may be NULL.
ADAMANT_EXPORT adamant_status adamant_checkpoints_open(const char* folder, const adamant_checkpoints_options* options,
                                                       adamant_checkpoints** checkpoints);
/// Saves one, named by its steps, and removes the oldest. If `background` is 1, the state is copied and written while
/// the caller goes on; the next call tells what went wrong.
ADAMANT_EXPORT adamant_status adamant_checkpoints_save(adamant_checkpoints* checkpoints,
                                                       const adamant_optimizer* optimizer,
                                                       const adamant_value* metadata, size_t metadata_count,
                                                       int32_t background);
/// Waits until all is written.
ADAMANT_EXPORT adamant_status adamant_checkpoints_wait(adamant_checkpoints* checkpoints);
/// Steps of those that are there, oldest first; valid until this thread's next such call.
ADAMANT_EXPORT adamant_status adamant_checkpoints_list(adamant_checkpoints* checkpoints, const uint64_t** steps,
                                                       size_t* count);
/// Loads the newest; `found` is 0 if there is none. `options` and `info` may be NULL.
ADAMANT_EXPORT adamant_status adamant_checkpoints_load(adamant_checkpoints* checkpoints, adamant_optimizer* optimizer,
                                                       const adamant_load_options* options,
                                                       adamant_checkpoint_info* info, int32_t* found);
/// Removes those of more steps, so that a run can go on from an older one.
ADAMANT_EXPORT adamant_status adamant_checkpoints_remove_after(adamant_checkpoints* checkpoints, uint64_t steps);
/// Waits for what is being written, ignoring errors; NULL is ignored.
ADAMANT_EXPORT void adamant_checkpoints_free(adamant_checkpoints* checkpoints);

// ---- Run logs, TensorBoard, health

typedef struct adamant_run_log_options {
  size_t struct_size;
  const char* title;           ///< NULL: none
  const adamant_value* notes;  ///< numbers and texts: "batch_size", "git"
  size_t note_count;
  uint64_t every;        ///< logs every N-th step; 0: 1
  double flush_seconds;  ///< hands over to the system what is older than this; 0: 1; negative: after each step
  /// What adamant_run_log_position said: the log goes on from there, with its own title and notes, and what it has
  /// beyond that is cut off. NULL: a new log.
  const char* resume;
} adamant_run_log_options;

/// Makes a new file in the place of an old one, or continues a log; `options` may be NULL. ADAMANT_IO if the path has
/// another file than the log that is to be continued, or less of it, ADAMANT_MISMATCH if the log is of another run.
ADAMANT_EXPORT adamant_status adamant_run_log_open(const char* path, const adamant_optimizer* optimizer,
                                                   const adamant_run_log_options* options, adamant_run_log** log);
/// What the next step is to be passed as `statistics`: the log's own; NULL if that step is not to be logged.
ADAMANT_EXPORT adamant_status adamant_run_log_statistics(adamant_run_log* log, adamant_statistics** statistics);
/// Call after each step, with the report that it filled.
ADAMANT_EXPORT adamant_status adamant_run_log_step(adamant_run_log* log, const adamant_optimizer* optimizer,
                                                   double loss, const adamant_step_report* report);
/// Writes the last line, with notes, and closes the file.
ADAMANT_EXPORT adamant_status adamant_run_log_end(adamant_run_log* log, const adamant_value* notes, size_t note_count);
/// Hands over to the system what is buffered.
ADAMANT_EXPORT adamant_status adamant_run_log_flush(adamant_run_log* log);
/// Where the log is, after a flush that also outlasts a power cut: UTF-8 text to be saved with a checkpoint of the
/// optimizer, and passed to adamant_run_log_open when the run resumes from it. Valid until the next call with this log.
ADAMANT_EXPORT adamant_status adamant_run_log_position(adamant_run_log* log, const char** position);
/// Writes what is left, ignoring errors; NULL is ignored.
ADAMANT_EXPORT void adamant_run_log_free(adamant_run_log* log);

typedef struct adamant_tensorboard_options {
  size_t struct_size;
  size_t max_tags;             ///< maximum number of tags in a file; 0: 100
  const char* const* tensors;  ///< names of tensors that are written one by one; NULL: all, if they fit
  size_t tensor_count;
  int64_t histogram_every;  ///< steps between histograms; 0: 64; negative: none
  double flush_seconds;     ///< as of run logs
} adamant_tensorboard_options;

/// Makes a new file in the folder; `options` may be NULL.
ADAMANT_EXPORT adamant_status adamant_tensorboard_open(const char* folder, const adamant_optimizer* optimizer,
                                                       const adamant_tensorboard_options* options,
                                                       adamant_tensorboard** board);
/// Call after each step; `statistics` is what the step filled, or NULL.
ADAMANT_EXPORT adamant_status adamant_tensorboard_step(adamant_tensorboard* board, const adamant_optimizer* optimizer,
                                                       double loss, const adamant_step_report* report,
                                                       const adamant_statistics* statistics);
ADAMANT_EXPORT adamant_status adamant_tensorboard_flush(adamant_tensorboard* board);
/// Path of the file.
ADAMANT_EXPORT adamant_status adamant_tensorboard_path(const adamant_tensorboard* board, const char** path);
/// Writes what is left, ignoring errors; NULL is ignored.
ADAMANT_EXPORT void adamant_tensorboard_free(adamant_tensorboard* board);

/// States of a light.
enum { ADAMANT_GREEN = 0, ADAMANT_YELLOW = 1, ADAMANT_RED = 2 };

/// What was found, in plain English.
typedef struct adamant_finding {
  size_t struct_size;
  const char* light;
  const char* cause;     ///< "lr_too_high"
  const char* advice;    ///< what helps
  const char* tensor;    ///< where it is worst; empty if it is the whole run
  const char* sentence;  ///< what was measured
  int32_t severity;      ///< ADAMANT_YELLOW or ADAMANT_RED
  int32_t unused;
  uint64_t step;
  size_t more;   ///< number of other tensors with the same finding
  double value;  ///< the measured value
} adamant_finding;

ADAMANT_EXPORT adamant_status adamant_health_create(adamant_health** health);
/// NULL is ignored.
ADAMANT_EXPORT void adamant_health_free(adamant_health* health);
/// Call after each step; `statistics` is what the step filled, or NULL.
ADAMANT_EXPORT adamant_status adamant_health_step(adamant_health* health, const adamant_optimizer* optimizer,
                                                  double loss, const adamant_step_report* report,
                                                  const adamant_statistics* statistics);
/// Number of findings so far, in the order in which they were found.
ADAMANT_EXPORT adamant_status adamant_health_count(const adamant_health* health, size_t* count);
/// A finding; its texts are valid until the next step.
ADAMANT_EXPORT adamant_status adamant_health_get(const adamant_health* health, size_t index, adamant_finding* finding);
/// The worst state so far of a light, by its index in ADAMANT_LIGHTS.
ADAMANT_EXPORT adamant_status adamant_health_light(const adamant_health* health, size_t light, int32_t* state);

#ifdef __cplusplus
}
#endif

#endif  // ADAMANT_ADAMANT_H
