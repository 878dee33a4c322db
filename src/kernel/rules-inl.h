// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// All update rules, for one instruction set.
#include "rule/adagrad-inl.h"
#include "rule/adam-inl.h"
#include "rule/adamw-inl.h"
#include "rule/rmsprop-inl.h"
#include "rule/sgd-inl.h"
