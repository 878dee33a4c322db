// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/claims/decay_contest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lab/claims/addition.h"
#include "lab/claims/remembered.h"
#include "lab/claims/rig.h"
#include "lab/claims/workload_pool.h"
#include "lab/matrix.h"
#include "lab/train.h"

namespace adamant::lab {
namespace {

constexpr std::uint64_t kGridSeed = 1001;  // the first of the runs that choose settings; the final ones have 1, 2, ...

struct Plan {
  WorkloadPool::Make make;
  std::uint64_t steps;
  std::vector<double> learning_rates;
  OfEach<std::vector<double>> decays;
  std::uint64_t grid_seeds;
  HeldOut chosen_on = HeldOut::validation;
  bool has_rows = false;
};

Plan plan_of(std::string_view name, const Setup& setup) {
  const auto of = [&](std::string_view workload, std::vector<double> learning_rates, std::vector<double> decays,
                      std::uint64_t grid_seeds, HeldOut chosen_on) {
    const WorkloadInfo& info = *std::ranges::find(workloads(), workload, &WorkloadInfo::name);
    const auto make = [&info, text = setup.text](HeldOut part) {
      return info.make({.batch_size = info.batch_size, .held_out = part, .text = text});
    };
    return Plan{make,      info.steps,     std::move(learning_rates), {{{0.0}, decays, decays}}, grid_seeds,
                chosen_on, info.reads_text};
  };
  if (name == "addition") {
    return {[](HeldOut part) { return make_addition(part); },
            kAdditionSteps,
            {0.003, 0.01, 0.03, 0.1},
            {{{0.0}, {0.1, 0.3, 1.0, 3.0, 9.0}, {3e-4, 1e-3, 3e-3, 1e-2, 3e-2}}},
            2};
  }
  if (name == "words") return of(name, {0.01, 0.03}, decades(3e-5, 3.0, 1), 1, HeldOut::validation);
  return of("digits", {0.01, 0.03}, decades(1e-5, 1.0, 2), 2, name == "digits" ? HeldOut::validation : HeldOut::test);
}

class Runner {
 public:
  Runner(Plan plan, const Setup& setup) : plan_(std::move(plan)), setup_(setup), pool_(plan_.make) {}

  DecayContest run() {
    DecayContest contest;
    contest.grids = search();
    contest.finals = finals(contest.grids);
    if (plan_.has_rows) contest.frequent_over_rare = frequent_over_rare(contest.grids);
    return contest;
  }

 private:
  OfEach<DecayGrid> search() {
    struct Job {
      std::size_t contender, setting;
      Tuned settings;
      std::uint64_t seed;
    };
    OfEach<DecayGrid> grids;
    std::vector<Job> jobs;
    for (std::size_t c = 0; c < kDecays.size(); ++c) {
      grids[c] = {.learning_rates = plan_.learning_rates, .decays = plan_.decays[c]};
      for (const double lr : grids[c].learning_rates) {
        for (const double decay : grids[c].decays) {
          for (std::uint64_t i = 0; i < plan_.grid_seeds; ++i) {
            jobs.push_back({c, grids[c].scores.size(), {lr, decay}, kGridSeed + i});
          }
          grids[c].scores.emplace_back(plan_.grid_seeds);
        }
      }
    }
    setup_.for_each(jobs.size(), [&](std::size_t i) {
      const Job& job = jobs[i];
      grids[job.contender].scores[job.setting][job.seed - kGridSeed] =
          score_of(kDecays[job.contender], job.settings, job.seed, plan_.chosen_on);
    });
    return grids;
  }

  OfEach<std::vector<Score>> finals(const OfEach<DecayGrid>& grids) {
    OfEach<std::vector<Score>> scores;
    for (auto& of_one : scores) of_one.resize(setup_.seeds);
    setup_.for_each(kDecays.size() * setup_.seeds, [&](std::size_t job) {
      const std::size_t c = job % kDecays.size(), run = job / kDecays.size();
      scores[c][run] = score_of(kDecays[c], grids[c].best(), run + 1, HeldOut::test);
    });
    return scores;
  }

  // After a run with the best settings: how much larger the rows of frequent words are than those of rare ones, in the
  // embedding of words.
  OfEach<double> frequent_over_rare(const OfEach<DecayGrid>& grids) {
    OfEach<double> ratios{};
    setup_.for_each(kDecays.size(), [&](std::size_t c) {
      ratios[c] = pool_.with(HeldOut::test, [&](Workload& words) {
        train(words, config(kDecays[c], grids[c].best(), 1));
        // By falling frequency; the first stands for all words that are not known.
        const Matrix<float>& rows = words.weights().front()->value;
        const auto size = [&](Eigen::Index from, Eigen::Index count) {
          return rows.middleRows(from, count).norm() / std::sqrt(static_cast<float>(count));
        };
        const Eigen::Index some = (rows.rows() - 1) / 10;
        return static_cast<double>(size(1, some) / size(rows.rows() - some, some));
      });
    });
    return ratios;
  }

  [[nodiscard]] RunConfig config(const RuleConfig& rule, const Tuned& settings, std::uint64_t seed) const {
    return {.rule = rule, .settings = settings, .steps = plan_.steps, .seed = seed, .threads = 1};
  }

  Score score_of(const RuleConfig& rule, const Tuned& settings, std::uint64_t seed, HeldOut part) {
    const auto run = [&](Workload& workload) { return train(workload, config(rule, settings, seed)); };
    const RunResult result = pool_.with(part, run);
    return result.outcome == Outcome::finished ? result.score
                                               : Score{.loss = std::numeric_limits<double>::infinity(), .metric = 0.0};
  }

  const Plan plan_;
  const Setup& setup_;
  WorkloadPool pool_;
};

}  // namespace

Score DecayGrid::mean(std::size_t rate, std::size_t decay) const {
  Score sum;
  const std::vector<Score>& of_seeds = at(rate, decay);
  const auto count = static_cast<double>(of_seeds.size());
  for (const Score& score : of_seeds) sum = {sum.loss + score.loss / count, sum.metric + score.metric / count};
  return sum;
}

std::size_t DecayGrid::best_decay(std::size_t rate) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < decays.size(); ++i) {
    if (mean(rate, i).loss < mean(rate, best).loss) best = i;
  }
  return best;
}

std::size_t DecayGrid::best_rate() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < learning_rates.size(); ++i) {
    if (mean(i, best_decay(i)).loss < mean(best, best_decay(best)).loss) best = i;
  }
  return best;
}

Tuned DecayGrid::best() const {
  const std::size_t rate = best_rate();
  return {learning_rates[rate], decays[best_decay(rate)]};
}

const DecayContest& decay_contest(std::string_view name, const Setup& setup) {
  return remembered<DecayContest>(name, setup, [&] { return Runner(plan_of(name, setup), setup).run(); });
}

}  // namespace adamant::lab
