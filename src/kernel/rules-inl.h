// All update rules and formats, for one instruction set: included inside namespace adamant::HWY_NAMESPACE.
// Their order matters: a file may build on those above it.
// clang-format off
#include "kernel/lanes-inl.h"

#include "rule/adamw-inl.h"
#include "rule/adam-inl.h"
#include "rule/sgd-inl.h"
#include "rule/rmsprop-inl.h"
#include "rule/adagrad-inl.h"

#include "format/f32-inl.h"
#include "format/half-inl.h"
#include "format/bf16-inl.h"
#include "format/f16-inl.h"
#include "format/log_linear-inl.h"
#include "format/split-inl.h"

#include "kernel/step-inl.h"
// clang-format on
