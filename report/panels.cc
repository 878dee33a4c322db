#include "report/panels.h"

#include <fmt/format.h>

#include <adamant/error.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <type_traits>

#include "report/encode.h"

namespace adamant::report {
namespace {

using Statistic = double Moments::*;

const Axis kSteps{"step", false, true};

constexpr double kSome = 1e-3;  // a smaller share is not worth a word

// ---- what several panels need

std::vector<float> steps_of(const std::vector<std::uint64_t>& steps) {
  std::vector<float> result;
  result.reserve(steps.size());
  for (const std::uint64_t step : steps) result.push_back(static_cast<float>(step));
  return result;
}

std::string probe_name(const Run& run, std::size_t tensor, std::size_t element) {
  return fmt::format("{}[{}]", run.info.tensors[tensor].name, element);
}

std::string rule_title(const Run& run) { return std::string(info(run.info.groups.front().rule).title); }

// Of all groups, each rule once.
std::string rule_titles(const Run& run) {
  std::string titles;
  std::set<Rule> told;
  for (const RunInfo::Group& group : run.info.groups) {
    if (told.insert(group.rule).second) titles.append(titles.empty() ? "" : ", ").append(info(group.rule).title);
  }
  return titles;
}

// A tensor and a number of it.
struct Found {
  const TensorRecord* record = nullptr;
  double value = kNone;
  std::uint64_t step = 0;
};

template <class Value>
Found highest(const Run& run, Value value) {
  Found found;
  for (const TensorRecord& record : run.tensors) {
    const auto [number, step] = value(record);
    if (std::isfinite(number) && !(found.value >= number)) found = {&record, number, step};
  }
  return found;
}

Found highest_recent(const Run& run, Statistic statistic, double sign = 1.0) {
  Found found = highest(run, [&](const TensorRecord& record) {
    return std::pair{sign * run.summary(record, statistic).recent, run.last_step};
  });
  found.value *= sign;
  return found;
}

double highest_rate(const Run& run) {
  const std::vector<float>& rates = run.overview.high(kLr);
  return static_cast<double>(*std::max_element(rates.begin(), rates.end()));
}

Found highest_ever(const Run& run, Statistic statistic) {
  return highest(run, [&](const TensorRecord& record) {
    const Summary::Extreme& high = run.summary(record, statistic).high;
    return std::pair{high.value, high.step};
  });
}

std::string name_of(const Run& run, const Found& found) { return run.of(*found.record).name; }

double median_recent(const Run& run, Statistic statistic) {
  std::vector<double> values;
  for (const TensorRecord& record : run.tensors) {
    const double value = run.summary(record, statistic).recent;
    if (std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

const TensorRecord* largest(const Run& run) {
  const auto at = std::max_element(run.tensors.begin(), run.tensors.end(),
                                   [&](const auto& a, const auto& b) { return run.of(a).size < run.of(b).size; });
  return at == run.tensors.end() ? nullptr : &*at;
}

bool has(const Run& run, Statistic statistic) { return std::isfinite(median_recent(run, statistic)); }

// The two highest and the two lowest at the end.
Json extremes_of(const Run& run, Statistic statistic) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < run.tensors.size(); ++i) {
    const double value = run.summary(run.tensors[i], statistic).recent;
    if (std::isfinite(value)) order.emplace_back(value, i);
  }
  std::sort(order.begin(), order.end());
  std::set<std::size_t> chosen;
  for (std::size_t k = 0; k < std::min<std::size_t>(2, order.size()); ++k) {
    chosen.insert(order[k].second);
    chosen.insert(order[order.size() - 1 - k].second);
  }
  return Json(std::vector<std::size_t>(chosen.begin(), chosen.end()));
}

// The lines to draw with a statistic of a tensor, at the step and the learning rate of a bucket.
Guides guides_at(const Run& run, const TensorRecord& record, const MomentInfo& what, std::size_t bucket) {
  const std::vector<float>& rates = run.rates.high(0);
  auto [rule, options] = run.group(record);
  options.lr = *options.lr * static_cast<double>(rates[bucket]) / static_cast<double>(rates.back());
  const std::uint64_t ago = run.last_step - run.moments.first_steps()[bucket];
  const std::uint64_t t = record.step > ago ? record.step - ago : 1;
  return what.guides(floors_of(rule, options, t, run.of(record).size));
}

// Those of the largest tensor, bucket by bucket.
Json guides_of(const Run& run, const MomentInfo& what) {
  const TensorRecord* record = largest(run);
  if (record == nullptr) return Json::object();
  std::vector<float> noise, bound, low, high;
  for (std::size_t i = 0; i < run.moments.buckets(); ++i) {
    const Guides guides = guides_at(run, *record, what, i);
    noise.push_back(static_cast<float>(guides.noise));
    bound.push_back(static_cast<float>(guides.bound));
    low.push_back(static_cast<float>(guides.low));
    high.push_back(static_cast<float>(guides.high));
  }
  Json json = Json::object();
  const auto add = [&json](const char* name, const std::vector<float>& values) {
    if (std::any_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
      json[name] = encode_bf16(values);
    }
  };
  add("noise", noise);
  add("bound", bound);
  if (std::isfinite(low.back()) && std::isfinite(high.back())) {
    add("low", low);
    add("high", high);
  }
  return json;
}

// Where R was furthest above what noise alone gives at that step; as a multiple of it.
Found furthest_above_noise(const Run& run) {
  const std::size_t place = index_of(&Moments::lag), statistics = moment_list().size();
  Found found;
  for (std::size_t b = 0; b < run.moments.buckets(); ++b) {
    const std::uint64_t step = run.moments.first_steps()[b];
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const auto lag = static_cast<double>(run.moments.high(i * statistics + place)[b]);
      const double noise = guides_at(run, run.tensors[i], moment_list()[place], b).noise;
      if (std::isfinite(lag / noise) && !(found.value >= lag / noise)) found = {&run.tensors[i], lag / noise, step};
    }
  }
  return found;
}

// A statistic of all tensors over time.
Json over_time(const Run& run, Statistic statistic, bool log) {
  const MomentInfo& what = moment_list()[index_of(statistic)];
  const std::string unit(what.unit);
  Chart chart("tensors", std::string(what.title), kSteps,
              {std::string(what.formula) + (unit.empty() ? "" : ", in " + unit), log, false});
  chart.set("statistic", what.name).set("highlight", extremes_of(run, statistic));
  return chart.set("curves", guides_of(run, what)).json();
}

Json heat_map(const Run& run, Statistic statistic) {
  const MomentInfo& what = moment_list()[index_of(statistic)];
  Chart chart("heat", std::string(what.title) + ", tensor by tensor", kSteps, {std::string(what.formula), true, false});
  return chart.set("statistic", what.name).set("curves", guides_of(run, what)).json();
}

Json panel(std::string answer) { return {{"answer", std::move(answer)}, {"charts", Json::object()}}; }

Json absent(std::string why) { return {{"absent", std::move(why)}}; }

// ---- 1. Is the run healthy?

const char* state_name(Severity severity) { return severity == Severity::red ? "red" : "yellow"; }

// Why a light cannot be judged; empty where it can.
std::string unknown(const Run& run, Light light) {
  const Traits& traits = run.traits;
  switch (light) {
    case Light::m:
      if (!traits.m) return fmt::format("{} has no m.", rule_title(run));
      break;
    case Light::v:
    case Light::eps:
      if (!traits.v) return fmt::format("{} has no v.", rule_title(run));
      break;
    case Light::input:
    case Light::step:
    case Light::decay:
      break;
    case Light::loss:
      return "";
  }
  return run.observed() ? "" : "The log has no statistics: the steps were taken without them.";
}

const CauseInfo& info_of(Cause cause) {
  const auto list = causes();
  return *std::find_if(list.begin(), list.end(), [cause](const CauseInfo& info) { return info.cause == cause; });
}

// The first of the worst findings that `chosen` takes, or nullptr.
template <class Chosen>
const Finding* worst_finding(const Run& run, Chosen chosen) {
  const Finding* worst = nullptr;
  for (const Finding& finding : run.findings) {
    if (chosen(finding) && (worst == nullptr || finding.severity > worst->severity)) worst = &finding;
  }
  return worst;
}

Json health(const Run& run) {
  Json cards = Json::array();
  std::size_t red = 0, yellow = 0, green = 0;
  for (const LightInfo& light : lights()) {
    const Finding* worst = worst_finding(run, [&](const Finding& finding) { return finding.light == light.light; });
    std::string words = unknown(run, light.light);
    const char* state = "grey";
    if (worst != nullptr) {
      state = state_name(worst->severity);
      ++(worst->severity == Severity::red ? red : yellow);
      words = fmt::format("Step {}: {} {}", worst->step, worst->sentence, info_of(worst->cause).advice);
    } else if (words.empty()) {
      state = "green";
      ++green;
      words = "Nothing found.";
    }
    cards.push_back({{"name", light.name}, {"question", light.question}, {"state", state}, {"words", words}});
  }
  std::string answer;
  if (!run.observed()) {
    answer = "Nothing is known of gradients, moments and steps: the log has no statistics. ";
  }
  if (red + yellow == 0) {
    answer += fmt::format("{}{} of {} lights {} green over {}{}.", run.observed() ? "Yes: " : "", green,
                          lights().size(), green == 1 ? "was" : "stayed", count(run.logged, "logged step"),
                          green < lights().size() ? "; the others have nothing to look at" : "");
  } else {
    const Finding* first = worst_finding(run, [](const Finding&) { return true; });
    answer += fmt::format("{}: of {} lights {} turned red and {} yellow. The first {}, at step {}: {}",
                          red > 0 ? "No" : "Not quite", lights().size(), red, yellow, red > 0 ? "red" : "yellow",
                          first->step, first->sentence);
  }
  Json json = panel(answer);
  json["lights"] = std::move(cards);
  json["findings"] = Json::array();
  for (const Finding& finding : run.findings) {
    if (json["findings"].size() == 100) break;
    json["findings"].push_back(
        {{"step", finding.step}, {"state", state_name(finding.severity)}, {"words", finding.sentence}});
  }
  return json;
}

// ---- 2. When did it hurt?

Json overview(const Run& run) {
  std::string answer;
  if (std::isfinite(run.recent_loss)) {
    answer = fmt::format(
        "The loss went from {} to {}, the mean of about the last tenth; its lowest value was {}, at step {}.",
        number(run.first_loss), number(run.recent_loss), number(run.best_loss.value), run.best_loss.step);
  } else {
    answer = "No loss was logged.";
  }
  if (!std::isfinite(run.last_loss) && run.logged > 0) answer += " At the end it was not finite.";
  if (run.spikes.empty()) {
    answer += " There was no spike.";
  } else {
    std::string steps;
    for (const Spike& spike : run.spikes) steps += fmt::format("{}{}", steps.empty() ? "" : ", ", spike.step);
    answer += fmt::format(" It spiked at step{} {}.", run.spikes.size() == 1 ? "" : "s", steps);
  }
  if (run.skipped > 0) {
    answer += fmt::format(" {} skipped because a gradient was not finite{}.",
                          run.skipped == 1 ? "1 step was" : fmt::format("{} steps were", run.skipped),
                          run.skipped_tensor.empty() ? "" : ", first in " + run.skipped_tensor);
  }
  if (run.clipped > 0) {
    answer += fmt::format(" Clipping shortened the gradients in {} of the steps.",
                          percent(static_cast<double>(run.clipped) / static_cast<double>(run.logged)));
  }
  Json json = panel(answer);
  const auto add = [&](const char* id, Overview series, std::string title, std::string label, bool log) {
    const auto& high = run.overview.high(series);
    if (std::all_of(high.begin(), high.end(), [](float value) { return std::isnan(value); })) return;
    Chart chart("lines", std::move(title), kSteps, {std::move(label), log, false});
    chart.extremes(id, "overview", run.overview.low(series), high);
    if (series == kLoss) {
      for (const Spike& spike : run.spikes) chart.mark(spike.step, "spike");
      for (const std::uint64_t step : run.skipped_steps) chart.mark(step, "skipped");
    }
    if (series == kClip) chart.guide(1.0, "nothing clipped");
    json["charts"][id] = chart.json();
  };
  const auto& losses = run.overview.low(kLoss);
  const bool positive = std::all_of(losses.begin(), losses.end(), [](float loss) { return !(loss <= 0.0F); });
  add("loss", kLoss, "Loss", "loss", positive);
  add("lr", kLr, "Learning rate", "η", false);
  add("grad_norm", kGradNorm, "Norm of the gradients before clipping", "‖g‖", true);
  if (run.clipped > 0) add("clip", kClip, "Clipping", "factor", false);
  return json;
}

// ---- 3. What is m doing?

// SGD's buffer is a sum of gradients; as an average it can be drawn beside them.
double average_factor(const Run& run, const ProbeSample& sample) {
  const Traits& traits = run.traits;
  if (traits.corrected) return 1.0 / (1.0 - std::pow(traits.beta1, static_cast<double>(sample.tensor_step)));
  const Options& options = run.info.groups.front().options;
  return (1.0 - traits.beta1) / std::max(1e-9, 1.0 - options.dampening.value_or(0.0));
}

double corrected_v(const Run& run, const ProbeSample& sample) {
  const double v = static_cast<double>(sample.v);
  return run.traits.corrected ? v / (1.0 - std::pow(run.traits.beta2, static_cast<double>(sample.tensor_step))) : v;
}

double noise_of_m(const Run& run) { return std::sqrt((1.0 - run.traits.beta1) / (1.0 + run.traits.beta1)); }

double rms(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return values.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(values.size()));
}

Json microscope(const Run& run, const ProbeTrack& track, const std::vector<ProbeSample>& samples) {
  std::vector<float> steps, g, m, scale, minus_scale;
  for (const ProbeSample& sample : samples) {
    steps.push_back(static_cast<float>(sample.step));
    g.push_back(sample.g);
    m.push_back(static_cast<float>(average_factor(run, sample) * static_cast<double>(sample.m)));
    scale.push_back(static_cast<float>(std::sqrt(corrected_v(run, sample))));
    minus_scale.push_back(-scale.back());
  }
  Chart chart("lines", probe_name(run, track.tensor, track.element), {"step", false, false},
              {"gradient", false, false});
  const double band = 2.0 * noise_of_m(run) * rms(g);
  chart.band(-band, band, "where m would be if g were noise").guide(0.0, "");
  chart.line("g, each logged step", Stroke::dots, steps, g).line("m, bias-corrected", Stroke::measured, steps, m);
  if (run.traits.v) {
    chart.line("±√v̂", Stroke::theory, steps, scale).line("", Stroke::theory, steps, minus_scale);
  }
  return chart.json();
}

// Probes with gradients, a few of each tensor, the tensors in turn; those that are rarely hit last.
std::vector<const ProbeTrack*> shown_probes(const Run& run, std::size_t limit) {
  std::vector<const ProbeTrack*> shown;
  for (std::size_t turn = 0; shown.size() < limit; ++turn) {
    const std::size_t before = shown.size();
    std::size_t tensor = run.info.tensors.size(), place = 0;
    for (const ProbeTrack& track : run.probes) {
      place = track.tensor == tensor ? place + 1 : 0;
      tensor = track.tensor;
      const bool moved = std::any_of(track.last.begin(), track.last.end(), [](const auto& s) { return s.g != 0.0F; });
      if (place == turn && moved && shown.size() < limit) shown.push_back(&track);
    }
    if (shown.size() == before && turn > 32) break;
  }
  std::stable_partition(shown.begin(), shown.end(), [](const auto* track) { return 2 * track->hits > track->steps; });
  return shown;
}

Json first_moment(const Run& run) {
  if (!run.traits.m)
    return absent(
        fmt::format("{} has no first moment in this run: it steps along each gradient as it comes.", rule_title(run)));
  // All tensors together, each with the energy of its gradients.
  double gg = 0.0, mg = 0.0, mm = 0.0;
  for (const TensorRecord& record : run.tensors) {
    const double s = run.summary(record, &Moments::signal).recent;
    const double smoothing = run.summary(record, &Moments::smoothing).recent;
    if (!std::isfinite(s) || !std::isfinite(smoothing)) continue;
    gg += record.recent_gg;
    mg += s * record.recent_gg;
    mm += smoothing * smoothing * record.recent_gg;
  }
  std::string answer = "No gradient was seen.";
  if (gg > 0.0) {
    const double s = mg / gg, smoothing = std::sqrt(mm / gg), floor = noise_of_m(run);
    const char* verdict = s < -0.02  ? "steps overshoot, and gradients turn against m"
                          : s < 0.05 ? "gradients are mostly noise, and m averages it out"
                          : s < 0.5  ? "part of the gradient is steady, and m carries it on"
                                     : "gradients agree from step to step, and m carries them on";
    answer = fmt::format("m {} {} of each recent gradient{}, and RMS(m̂)/RMS(g) is {} (noise alone: {}): {}.",
                         s < 0.0 ? "pointed against" : "knew", percent(std::abs(s)), s < 0.0 ? "" : " before it came",
                         number(smoothing), number(floor), verdict);
    if (s > 0.0 && s < 0.5) {
      answer += fmt::format(" In a batch {} times as large signal and noise would be equal.", number((1.0 - s) / s));
    }
  }
  Json json = panel(answer);
  Json charts = Json::object();
  std::vector<std::pair<std::string, Json>> options;
  for (const ProbeTrack* track : shown_probes(run, run.budget.probes)) {
    const std::string name = probe_name(run, track->tensor, track->element);
    options.emplace_back(name + ", last steps", microscope(run, *track, track->last));
    if (track->steps > track->first.size()) {
      options.emplace_back(name + ", first steps", microscope(run, *track, track->first));
    }
  }
  if (!options.empty()) charts["microscope"] = choice("Coordinate", std::move(options));
  if (has(run, &Moments::smoothing)) charts["smoothing"] = over_time(run, &Moments::smoothing, true);
  if (has(run, &Moments::signal)) charts["signal"] = over_time(run, &Moments::signal, false);

  const auto most = std::max_element(run.probes.begin(), run.probes.end(),
                                     [](const auto& a, const auto& b) { return a.flip_rate() < b.flip_rate(); });
  // Signs of steps that are apart say nothing about alternation.
  if (most != run.probes.end() && most->flip_rate() > 0.0 && run.apart() < 1.5) {
    double mm_probe = 0.0, scale = 0.0;
    for (const ProbeSample& sample : most->last) {
      mm_probe += std::pow(average_factor(run, sample) * static_cast<double>(sample.m), 2.0);
      scale += run.traits.v ? corrected_v(run, sample) : std::pow(static_cast<double>(sample.g), 2.0);
    }
    const double b1 = run.traits.beta1;
    json["alternating"] = fmt::format(
        "The coordinate that alternates most, {}, changed its sign in {} of the last steps. RMS(m̂) is {} of {}; strict "
        "alternation would leave (1-β1)/(1+β1) = {}, noise {}.",
        probe_name(run, most->tensor, most->element), percent(most->flip_rate()), number(std::sqrt(mm_probe / scale)),
        run.traits.v ? "RMS(√v̂)" : "RMS(g)", number((1.0 - b1) / (1.0 + b1)), number(noise_of_m(run)));
    charts["alternating"] = microscope(run, *most, most->last);
  }
  json["charts"] = std::move(charts);
  return json;
}

// ---- 4. What is v doing?

// Bin k of the histograms holds √v̂ from 2^(k-54); its effective learning rates end at η/2^(k-54).
Json ridgeline(const Run& run) {
  const RunScales& scales = *run.last_scales;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // the largest tensors
  order.reserve(run.tensors.size());
  for (std::size_t i = 0; i < run.tensors.size(); ++i) order.emplace_back(run.of(run.tensors[i]).size, i);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > 24) order.resize(24);
  Json rows = Json::array();
  double log_sum = 0.0, elements = 0.0;
  for (const auto& [size, i] : order) {
    const TensorRecord& record = run.tensors[i];
    if (record.tensor >= scales.bins.size()) continue;
    const auto& bins = scales.bins[record.tensor];
    double seen = 0.0;
    for (const std::uint32_t n : bins) seen += n;
    if (seen == 0.0) continue;
    Json shares = Json::array();
    for (std::size_t k = 1; k < bins.size(); ++k) shares.push_back(std::round(1e4 * bins[k] / seen) / 1e4);
    const double typical = run.summary(record, &Moments::typical_lr).recent;
    rows.push_back({{"name", run.of(record).name},
                    {"lr", *run.group(record).options.lr},
                    {"shares", shares},
                    {"dead", std::round(1e4 * bins[0] / seen) / 1e4},
                    {"typical", std::isfinite(typical) ? Json(typical) : Json()}});
    if (typical > 0.0) {
      log_sum += static_cast<double>(size) * std::log(typical);
      elements += static_cast<double>(size);
    }
  }
  Chart chart("ridge",
              fmt::format("Effective learning rates η/√v̂, steps {} to {}", scales.first_step, scales.last_step),
              {"effective learning rate", true, false}, {"share of the elements", false, false});
  chart.set("rows", rows).set("first_exponent", -53);
  if (elements > 0.0) chart.set("single", std::exp(log_sum / elements));
  return chart.json();
}

// A coordinate that is hit in a share p of the steps has √v̂ = √p·RMS(g when hit), if v remembers enough of them.
Json rare_probes(const Run& run) {
  Json points = Json::array();
  for (const ProbeTrack& track : run.probes) {
    double squares = 0.0, hits = 0.0;
    for (const ProbeSample& sample : track.last) {
      squares += std::pow(static_cast<double>(sample.g), 2.0);
      hits += sample.g != 0.0F ? 1.0 : 0.0;
    }
    if (hits == 0.0) continue;
    const double scale = std::sqrt(corrected_v(run, track.last.back()));
    if (!(scale > 0.0)) continue;
    points.push_back({{"name", probe_name(run, track.tensor, track.element)},
                      {"x", static_cast<double>(track.hits) / static_cast<double>(track.steps)},
                      {"y", std::sqrt(squares / hits) / scale}});
  }
  Chart chart("points", "Rarely hit coordinates take longer steps", {"share of steps with a gradient", true, false},
              {"RMS(g when hit) / √v̂", true, false});
  // A sum of squares grows with the hits, a mean does not.
  const double at_one = run.traits.forgets ? 1.0 : 1.0 / std::sqrt(static_cast<double>(run.logged));
  return chart.set("points", points).set("at_one", at_one).json();
}

Json second_moment(const Run& run) {
  if (!run.traits.v)
    return absent(fmt::format("{} has no second moment: every weight gets the same learning rate.", rule_title(run)));
  std::string answer;
  const Found most = highest_recent(run, &Moments::typical_lr), least = highest_recent(run, &Moments::typical_lr, -1.0);
  if (most.record != nullptr && least.record != most.record) {
    answer = fmt::format("Typical learning rates go from {} in {} to {} in {}, a factor of {}. ", number(least.value),
                         name_of(run, least), number(most.value), name_of(run, most), number(most.value / least.value));
  }
  const Found wide = highest_recent(run, &Moments::spread);
  if (wide.record != nullptr) {
    answer += fmt::format("Within a tensor they differ most in {}, by {} octaves (one standard deviation). ",
                          name_of(run, wide), number(wide.value));
  }
  if (has(run, &Moments::lag)) {
    const Found lag = furthest_above_noise(run);
    const double median = median_recent(run, &Moments::lag);
    const char* verdict = lag.value > 2.0                      ? "did not always keep up"
                          : run.traits.forgets && median < 0.5 ? "remembers gradients that are gone"
                                                               : "kept up";
    answer += fmt::format("v {}: R is {} in the median tensor", verdict, number(median));
    if (lag.record != nullptr) {
      answer += fmt::format(", at most {} times what noise gives, in {} near step {}", number(lag.value),
                            name_of(run, lag), lag.step);
    }
    answer += run.traits.forgets ? "." : ". This v never forgets, so R falls with the steps.";
  }
  Json json = panel(answer);
  Json charts = Json::object();
  if (run.last_scales) charts["ridge"] = ridgeline(run);
  if (has(run, &Moments::lag)) charts["lag"] = heat_map(run, &Moments::lag);
  if (has(run, &Moments::angle)) charts["angle"] = over_time(run, &Moments::angle, false);
  if (!run.probes.empty()) {
    const Json rare = rare_probes(run);
    const auto rarely = [](const Json& point) { return point["x"] < 0.9; };
    if (std::any_of(rare["points"].begin(), rare["points"].end(), rarely)) {
      charts["rare"] = rare;
    } else {
      json["rare"] = "All coordinates that are followed got a gradient in nearly every step.";
    }
  }
  std::string dead;
  for (const TensorRecord& record : run.tensors) {
    const double share = run.summary(record, &Moments::dead).recent;
    if (share > kSome) dead += fmt::format("{}{} ({})", dead.empty() ? "" : ", ", run.of(record).name, percent(share));
  }
  json["dead"] = dead.empty() ? "No weight was without gradients all the time."
                              : "Weights that never had a gradient: " + dead + ".";
  json["charts"] = std::move(charts);
  return json;
}

// ---- 5. The first steps: bias correction

double uncorrected(const Traits& traits, double t) {
  return (1.0 - std::pow(traits.beta1, t)) / std::sqrt(1.0 - std::pow(traits.beta2, t));
}

Json bias_correction(const Run& run) {
  if (!run.traits.corrected) return absent(fmt::format("{} does not correct its moments.", rule_title(run)));
  std::vector<float> ts, factors;
  double peak = 1.0;
  std::uint64_t peak_at = 1, last_off = 0;
  const auto end = static_cast<std::uint64_t>(std::min(1e6, 10.0 / std::max(1e-6, 1.0 - run.traits.beta2)));
  for (std::uint64_t t = 1; t <= end; t += std::max<std::uint64_t>(1, t / 32)) {
    const double factor = uncorrected(run.traits, static_cast<double>(t));
    ts.push_back(static_cast<float>(t));
    factors.push_back(static_cast<float>(factor));
    if (std::abs(std::log(factor)) > std::abs(std::log(peak))) {
      peak = factor;
      peak_at = t;
    }
    if (std::abs(factor - 1.0) > 0.01) last_off = t;
  }
  const double first = uncorrected(run.traits, 1.0);
  Json json = panel(fmt::format(
      "Without the correction the first step would have been {} times as long{}; from about step {} on it makes less "
      "than 1% of difference.",
      number(first), peak_at > 1 ? fmt::format(", and step {}, the worst, {} times", peak_at, number(peak)) : "",
      last_off + 1));
  Json charts = Json::object();
  Chart curve("lines", "Step without bias correction, as a multiple of the step taken", {"step", true, false},
              {"c1/√c2", true, false});
  charts["bias_curve"] = curve.guide(1.0, "as it is, corrected").line("c1/√c2", Stroke::measured, ts, factors).json();
  std::vector<std::pair<std::string, Json>> options;
  for (const ProbeTrack* track : shown_probes(run, std::min<std::size_t>(4, run.budget.probes))) {
    std::vector<float> steps, m, mh, v, vh;
    for (const ProbeSample& sample : track->early) {
      steps.push_back(static_cast<float>(sample.tensor_step));
      m.push_back(std::abs(sample.m));
      mh.push_back(static_cast<float>(std::abs(average_factor(run, sample) * static_cast<double>(sample.m))));
      v.push_back(std::sqrt(sample.v));
      vh.push_back(static_cast<float>(std::sqrt(corrected_v(run, sample))));
    }
    const std::string name = probe_name(run, track->tensor, track->element);
    Chart chart("lines", name, {"step", true, false}, {"size", true, false});
    options.emplace_back(name, chart.line("√v̂", Stroke::measured, steps, vh)
                                   .line("√v", Stroke::theory, steps, v)
                                   .line("|m̂|", Stroke::measured, steps, mh)
                                   .line("|m|", Stroke::theory, steps, m)
                                   .json());
  }
  if (!options.empty()) charts["bias_probe"] = choice("Coordinate", std::move(options));
  json["charts"] = std::move(charts);
  return json;
}

// ---- 6. Is eps in charge anywhere?

Json eps(const Run& run) {
  if (!run.traits.v) return absent(fmt::format("{} does not divide by anything, so it has no ε.", rule_title(run)));
  const auto taxed = [&](const TensorRecord& record) {
    const double dead = run.summary(record, &Moments::dead).recent;
    return run.summary(record, &Moments::eps_tax).recent - (std::isfinite(dead) ? dead : 0.0);
  };
  const auto over =
      std::count_if(run.tensors.begin(), run.tensors.end(), [&](const auto& r) { return taxed(r) > 0.01; });
  const Found most = highest(run, [&](const auto& record) { return std::pair{taxed(record), run.last_step}; });
  std::string answer = "Nothing was seen of the scales.";
  if (most.record != nullptr) {
    const std::string share = percent(std::max(0.0, most.value));
    answer = over == 0 ? fmt::format("No: v decides everywhere. ε is at most {} of the denominator, in {}.", share,
                                     name_of(run, most))
                       : fmt::format(
                             "Yes, in {}: ε is more than 1% of the denominator there, most in {}, {}. As it grows, the "
                             "rule becomes momentum with learning rate η/ε.",
                             count(static_cast<std::uint64_t>(over), "tensor"), name_of(run, most), share);
    const Found dead = highest_recent(run, &Moments::dead);
    if (dead.record != nullptr && dead.value > kSome) answer += " Weights that never had a gradient are not counted.";
  }
  Json json = panel(answer);
  if (has(run, &Moments::eps_tax)) json["charts"]["eps_tax"] = over_time(run, &Moments::eps_tax, true);
  return json;
}

// ---- 7. How far do weights move?

// Whether weights decay beside the gradient, not in it.
bool decays(const Run& run) {
  return std::any_of(run.info.groups.begin(), run.info.groups.end(), [](const RunInfo::Group& group) {
    return traits_of(group).decoupled && group.options.weight_decay.value_or(0.0) > 0.0;
  });
}

Json movement(const Run& run) {
  const double median = median_recent(run, &Moments::relative_step);
  const Found most = highest_ever(run, &Moments::relative_step);
  std::string answer = "Nothing was seen of the weights.";
  if (most.record != nullptr) {
    answer = fmt::format(
        "By {} of their size in a step, in the median tensor ({}1e-3 is usual); furthest in {}, {} at step {}.",
        number(median),
        median > 1e-2   ? "far more than the "
        : median < 1e-4 ? "far less than the "
                        : "",
        name_of(run, most), number(most.value), most.step);
  }
  const double share = median_recent(run, &Moments::decay_share);
  if (std::isfinite(share) && share > 0.0) {
    answer += fmt::format(" Decay is {} of the step.", percent(share));
    const double index = median_recent(run, &Moments::equilibrium);
    if (std::isfinite(index)) {
      answer += fmt::format(
          " Weights are {} times as large as where decay and updates balance, which takes about "
          "1/(ηλ) = {} steps at the highest learning rate.",
          number(index), number(1.0 / (highest_rate(run) * *run.group(*largest(run)).options.weight_decay)));
    }
  } else if (!decays(run)) {
    answer += " There is no weight decay beside the gradient.";
  }
  Json json = panel(answer);
  Json charts = Json::object();
  if (has(run, &Moments::relative_step)) {
    charts["relative_step"] = heat_map(run, &Moments::relative_step);
    charts["relative_step_lines"] = over_time(run, &Moments::relative_step, true);
  }
  if (has(run, &Moments::update)) charts["update"] = over_time(run, &Moments::update, true);
  if (share > 0.0) {
    charts["decay_share"] = over_time(run, &Moments::decay_share, true);
    if (has(run, &Moments::equilibrium)) charts["equilibrium"] = over_time(run, &Moments::equilibrium, true);
  }
  if (run.traits.decoupled && !run.probes.empty()) {
    Json rows = Json::array();
    for (const ProbeTrack& track : run.probes) {
      if (track.last.empty()) continue;
      const ProbeSample& sample = track.last.back();
      const RunInfo::Group& group = run.info.groups[run.info.tensors[track.tensor].group];
      if (!traits_of(group).decoupled) continue;
      const Options& options = group.options;
      const double decay = sample.lr * *options.weight_decay;
      const double r = 1.0 / (std::sqrt(corrected_v(run, sample)) + *options.eps);
      if (decay > 0.0)
        rows.push_back({{"name", probe_name(run, track.tensor, track.element)}, {"values", {decay, decay * r}}});
    }
    if (!rows.empty()) {
      Chart chart("rows", "Decay of a weight in a step, had it been L2 in the gradient (Adam)",
                  {"share of the weight taken away", true, false}, {"", false, false});
      charts["l2"] = chart.set("names", {"decoupled: ηλ", "L2 in the gradient: ηλ/(√v̂+ε)"}).set("rows", rows).json();
    }
  }
  json["charts"] = std::move(charts);
  return json;
}

// ---- 8. Spike forensics

Json forensics(const Run& run) {
  if (run.spikes.empty())
    return absent("The loss never rose more than 6 standard deviations above the 128 steps before.");
  const Spike& worst = *std::max_element(run.spikes.begin(), run.spikes.end(),
                                         [](const Spike& a, const Spike& b) { return a.score < b.score; });
  std::string answer = fmt::format("{}. The highest, at step {}, was {} standard deviations above what came before. ",
                                   count(run.spikes.size(), "spike"), worst.step, number(worst.score));
  if (!worst.movers.empty()) {
    const Spike::Mover& mover = worst.movers.front();
    const auto lead = static_cast<std::int64_t>(worst.step) - static_cast<std::int64_t>(mover.step);
    answer += fmt::format("First to move was {}: {} went from {} to {} {}. ", run.info.tensors[mover.tensor].name,
                          kWatchedNames[mover.what], number(mover.before), number(mover.there),
                          lead > 0   ? count(static_cast<std::uint64_t>(lead), "step") + " before"
                          : lead < 0 ? count(static_cast<std::uint64_t>(-lead), "step") + " after"
                                     : "in the same step");
  }
  answer += worst.pattern;
  Json json = panel(answer);
  json["spikes"] = Json::array();
  for (const Spike& spike : run.spikes) {
    const std::vector<float> steps = steps_of(spike.steps);
    const auto frame = [&](std::string title, std::string label, bool log) {
      return Chart("lines", std::move(title), {"step", false, false}, {std::move(label), log, false})
          .mark(spike.step, "spike");
    };
    Json charts = Json::array();
    charts.push_back(frame("Loss", "loss", false).line("loss", Stroke::measured, steps, spike.losses).json());
    for (const Watched what : {kLag, kUpdate, kSignal, kNorm}) {
      Chart chart = frame(std::string(kWatchedNames[what]), std::string(kWatchedNames[what]), what != kSignal);
      bool any = false;
      for (const Spike::Mover& mover : spike.movers) {
        const auto& values = mover.values[what];
        any = any || std::any_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
        chart.line(run.info.tensors[mover.tensor].name, Stroke::measured, steps, values);
      }
      if (any) charts.push_back(chart.json());
    }
    Json movers = Json::array();
    for (const Spike::Mover& mover : spike.movers) {
      movers.push_back({run.info.tensors[mover.tensor].name, mover.step, kWatchedNames[mover.what],
                        number(mover.before), number(mover.there)});
    }
    json["spikes"].push_back({{"name", fmt::format("step {}, z = {}", spike.step, number(spike.score))},
                              {"words", fmt::format("{} of {} moved. {}", count(spike.moved, "tensor"),
                                                    run.info.tensors.size(), spike.pattern)},
                              {"movers", movers},
                              {"charts", charts}});
  }
  return json;
}

// ---- 9. Same gradients, another rule

Json other_rules(const Run& run) {
  const Replay& replay = run.replay;
  if (replay.probes.empty() || !(replay.total(0) > 0.0))
    return absent("The log follows no coordinate that had a gradient.");
  // Each rule with the learning rate that makes all paths together as long as AdamW's.
  std::array<double, kReplayed.size()> factor{}, ratio{};
  std::vector<const Replay::Probe*> order;
  for (const Replay::Probe& probe : replay.probes) {
    if (probe.mean_square > 0.0) order.push_back(&probe);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->mean_square > b->mean_square; });
  Json rows = Json::array();
  for (std::size_t rule = 0; rule < kReplayed.size(); ++rule) {
    factor[rule] = replay.total(0) / replay.total(rule);
    double low = std::numeric_limits<double>::infinity(), high = 0.0;
    for (const auto* probe : order) {
      low = std::min(low, probe->path[rule]);
      high = std::max(high, probe->path[rule]);
    }
    ratio[rule] = high / low;
  }
  for (const auto* probe : order) {
    Json values = Json::array();
    for (std::size_t rule = 0; rule < kReplayed.size(); ++rule) values.push_back(factor[rule] * probe->path[rule]);
    rows.push_back({{"name", probe_name(run, probe->tensor, probe->element)}, {"values", values}});
  }
  // Length of Adagrad's steps as a multiple of AdamW's, over a tenth of the run.
  const auto compared = [&](std::size_t from, std::size_t to) {
    double own = 0.0, others = 0.0;
    for (std::size_t i = from; i < to; ++i) {
      own += factor[3] * static_cast<double>(replay.speed.high(3)[i]);
      others += static_cast<double>(replay.speed.high(0)[i]);
    }
    return own / others;
  };
  const std::size_t buckets = replay.speed.buckets(), tenth = std::max<std::size_t>(1, buckets / 10);
  const std::string apart =
      run.apart() < 1.5
          ? ""
          : fmt::format(", which are about {:.0f} apart and are replayed as if they were not,", run.apart());
  Json json = panel(fmt::format(
      "Over {} the coordinate that moved furthest went {} times as far as the slowest with AdamW, {} times with {}, {} "
      "with {}, {} with {}. {}'s steps went from {} times the length of AdamW's in the first tenth of the run to {} "
      "times in "
      "the last.",
      count(replay.steps, "logged step") + apart, number(ratio[0]), number(ratio[1]), kReplayed[1], number(ratio[2]),
      kReplayed[2], number(ratio[3]), kReplayed[3], kReplayed[3], number(compared(0, tenth)),
      number(compared(buckets - tenth, buckets))));
  Chart path("rows", "Path of each coordinate, largest gradients first",
             {"Σ η·|u|, every rule with the same total", true, false}, {"", false, false});
  json["charts"]["replay_path"] = path.set("names", Json(kReplayed)).set("rows", rows).json();
  Chart speed("lines", "Length of the step, mean over the coordinates", kSteps,
              {"η·|u|, scaled as above", true, false});
  const std::vector<float> steps = steps_of(replay.speed.first_steps());
  for (std::size_t rule = 0; rule < kReplayed.size(); ++rule) {
    std::vector<float> low = replay.speed.low(rule), high = replay.speed.high(rule);
    for (auto* values : {&low, &high}) {
      for (float& value : *values) value *= static_cast<float>(factor[rule]);
    }
    speed.extremes(std::string(kReplayed[rule]), encode_f32(steps), low, high);
  }
  json["charts"]["replay_speed"] = speed.json();
  json["settings"] = fmt::format(
      "β1, momentum = {}; β2 = {}; α = {}; ε = {}; no decay; η as in the run, times a factor for each rule.",
      number(replay.beta1), number(replay.beta2), number(replay.alpha), number(replay.eps));
  return json;
}

// ---- 10. All tensors

Json table(const Run& run) {
  double total = 0.0;
  for (const TensorRecord& record : run.tensors) total += record.decrease;
  const Found earned = highest(run, [](const auto& record) { return std::pair{record.decrease, record.step}; });
  std::string answer = fmt::format("{} with {} parameters.", count(run.info.tensors.size(), "tensor"), [&] {
    std::uint64_t sum = 0;
    for (const auto& tensor : run.info.tensors) sum += tensor.size;
    return sum;
  }());
  if (earned.record != nullptr && total > 0.0) {
    answer += fmt::format(" {} earned most of the predicted decrease of the loss: {}.", name_of(run, earned),
                          percent(earned.value / total));
  }
  if (run.tensors.size() < run.info.tensors.size()) {
    answer += fmt::format(" The {} largest are shown.", run.tensors.size());
  }
  Json json = panel(answer);
  json["rows"] = Json::array();
  for (const TensorRecord& record : run.tensors) {
    const RunInfo::Tensor& tensor = run.of(record);
    Json values = Json::array();
    for (const Summary& summary : record.statistics) {
      values.push_back(std::isfinite(summary.recent) ? Json::parse(fmt::format("{:.4g}", summary.recent)) : Json());
    }
    json["rows"].push_back(
        {{"name", tensor.name},
         {"shape", tensor.shape},
         {"size", tensor.size},
         {"group", tensor.group},
         {"values", values},
         {"earned", total > 0.0 ? Json::parse(fmt::format("{:.4g}", record.decrease / total)) : Json()}});
  }
  return json;
}

// ---- the run as a whole

std::string text_of(const Note& note) {
  if (const auto* text = std::get_if<std::string>(&note)) return *text;
  return fmt::format("{:.6g}", std::get<double>(note));
}

Json settings(const Run& run) {
  Json list = Json::array();
  const auto add = [&](std::string name, std::string value) { list.push_back({std::move(name), std::move(value)}); };
  add("update rule", rule_titles(run));
  for (std::size_t g = 0; g < run.info.groups.size(); ++g) {
    std::string text;
    for_each_option([&](std::string_view name, auto member) {
      const auto& value = run.info.groups[g].options.*member;
      if (!value) return;
      using T = std::decay_t<decltype(*value)>;
      text += fmt::format("{}{} ", text.empty() ? "" : ", ", name);
      if constexpr (std::is_same_v<T, bool>) {
        text += *value ? "true" : "false";
      } else if constexpr (std::is_same_v<T, double>) {
        text += fmt::format("{:.6g}", *value);
      } else {
        text += fmt::format("({:.6g}, {:.6g})", (*value)[0], (*value)[1]);
      }
    });
    add(run.info.groups.size() == 1 ? "options at the end" : fmt::format("group {} at the end", g), text);
  }
  if (run.logged > 0) add("highest lr", fmt::format("{:.6g}", highest_rate(run)));
  add("logged", fmt::format("{}, {} to {}, in {} s", count(run.logged, "step"), run.first_step, run.last_step,
                            number(run.seconds)));
  add("engine", fmt::format("adamant {}, {}", run.info.version, run.info.target));
  if (run.bytes > 0) {
    add("cost of the log",
        fmt::format("{:.0f} bytes a step, {} in all",
                    static_cast<double>(run.bytes) / static_cast<double>(std::max<std::uint64_t>(1, run.logged)),
                    run.bytes));
  }
  for (const auto& [name, value] : run.info.notes) add(name, text_of(value));
  if (run.end) {
    for (const auto& [name, value] : *run.end) add("end: " + name, text_of(value));
  }
  return list;
}

Json series(const Run& run) {
  Json all = Json::object();
  const std::size_t statistics = moment_list().size();
  const auto some = [](const std::vector<float>& v) {
    return std::any_of(v.begin(), v.end(), [](float x) { return !std::isnan(x); });
  };
  for (std::size_t k = 0; k < statistics; ++k) {
    Json rows = Json::array();
    bool any = false;
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const auto& low = run.moments.low(i * statistics + k);
      const auto& high = run.moments.high(i * statistics + k);
      if (!some(low)) {
        rows.push_back(nullptr);
        continue;
      }
      any = true;
      std::string bottom = encode_bf16(low), top = encode_bf16(high);
      rows.push_back(bottom == top ? Json{std::move(bottom)} : Json{std::move(bottom), std::move(top)});
    }
    if (any) all[std::string(moment_list()[k].name)] = std::move(rows);
  }
  return all;
}

std::string note_named(const Notes& notes, std::string_view name) {
  const auto found = std::ranges::find(notes, name, [](const auto& note) { return std::string_view(note.first); });
  return found == notes.end() ? "" : text_of(found->second);
}

}  // namespace

Json run_json(const Run& run) {
  Json json = {{"name", run.info.title.empty() ? std::filesystem::path(run.path).stem().string() : run.info.title},
               {"path", run.path},
               {"workload", note_named(run.info.notes, "workload")},
               {"rule", rule_titles(run)},
               {"first_step", run.first_step},
               {"last_step", run.last_step},
               {"logged", run.logged},
               {"loss", std::isfinite(run.recent_loss) ? Json(number(run.recent_loss)) : Json("not finite")},
               {"result", run.end ? note_named(*run.end, "loss") : ""},
               {"settings", settings(run)},
               {"overview_grid", encode_f32(steps_of(run.overview.first_steps()))},
               {"tensor_grid",
                {encode_f32(steps_of(run.moments.first_steps())), encode_f32(steps_of(run.moments.last_steps()))}},
               {"series", series(run)},
               {"panels", Json::object()}};
  Json& panels = json["panels"];
  if (run.logged == 0) {
    panels["health"] = absent("The log has no step yet.");
    return json;
  }
  panels["health"] = health(run);
  panels["overview"] = overview(run);
  panels["m"] = first_moment(run);
  panels["v"] = second_moment(run);
  panels["bias"] = bias_correction(run);
  panels["eps"] = eps(run);
  panels["movement"] = movement(run);
  panels["forensics"] = forensics(run);
  panels["replay"] = other_rules(run);
  panels["table"] = table(run);
  return json;
}

Json statistics_json() {
  Json list = Json::array();
  for (const MomentInfo& info : moment_list()) {
    list.push_back({{"name", info.name},
                    {"title", info.title},
                    {"unit", info.unit},
                    {"question", info.question},
                    {"formula", info.formula},
                    {"reading", info.reading}});
  }
  return list;
}

Json causes_json() {
  Json list = Json::array();
  for (const CauseInfo& info : causes()) {
    const auto limit = [&](double value, std::uint64_t steps) -> std::string {
      if (std::isnan(value)) return "never";
      return fmt::format("{} {}{}", info.above ? "over" : "under", number(value),
                         steps > 1 ? fmt::format(" in {} steps", steps) : "");
    };
    list.push_back({lights()[static_cast<std::size_t>(info.light)].name, info.measure,
                    limit(info.yellow, info.yellow_steps), limit(info.red, info.red_steps), info.advice});
  }
  return list;
}

Json claim_json(const Claim& claim) {
  Json figures = Json::array();
  for (const Claim::Figure& figure : claim.figures) {
    figures.push_back({figure.what, figure.theory, figure.measured, figure.tolerance});
  }
  Json json = {{"id", claim.id},
               {"statement", claim.statement},
               {"theory", claim.theory},
               {"measured", claim.measured},
               {"tolerance", claim.tolerance},
               {"verdict", claim.verdict},
               {"words", claim.words},
               {"figures", figures},
               {"plots", Json::array()}};
  for (const Plot& plot : claim.plots) {
    Chart chart("lines", plot.title, {plot.x, plot.log_x, false}, {plot.y, plot.log_y, false});
    for (const Line& line : plot.lines) {
      if (line.xs.size() != line.ys.size()) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("claim '{}', plot '{}': line '{}' has {} xs and {} ys", claim.id, plot.title, line.name,
                                line.xs.size(), line.ys.size()));
      }
      chart.line(line.name, line.stroke, floats(line.xs), floats(line.ys));
    }
    json["plots"].push_back(chart.json());
  }
  return json;
}

}  // namespace adamant::report
