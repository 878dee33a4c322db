#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr WorkloadInfo kWorkloads[] = {
    {.name = "digits", .metric = "accuracy", .steps = 1000, .batch_size = 64, .target_loss = 0.1, .make = make_digits},
    {.name = "words", .metric = "perplexity", .steps = 600, .batch_size = 64, .target_loss = 5.8, .make = make_words},
    {.name = "ravine", .metric = "distance", .steps = 2000, .batch_size = 1, .target_loss = 1.0, .make = make_ravine},
    {.name = "rosenbrock",
     .metric = "distance",
     .steps = 2000,
     .batch_size = 1,
     .target_loss = 1.0,
     .make = make_rosenbrock},
};

}  // namespace

std::span<const WorkloadInfo> workloads() { return kWorkloads; }

}  // namespace adamant::lab
