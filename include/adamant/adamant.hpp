// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Includes the whole API: #include <adamant/adamant.hpp>
#pragma once

#include <adamant/checkpoint.hpp>
#include <adamant/error.hpp>
#include <adamant/format.hpp>
#include <adamant/health.hpp>
#include <adamant/model.hpp>
#include <adamant/moments.hpp>
#include <adamant/optimizer.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <adamant/run_log.hpp>
#include <adamant/safetensors.hpp>
#include <adamant/schedule.hpp>
#include <adamant/statistics.hpp>
#include <adamant/targets.hpp>
#include <adamant/tensor.hpp>
#include <adamant/tensorboard.hpp>
#include <adamant/version.hpp>
