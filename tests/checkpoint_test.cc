// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints: what is saved is what is loaded, in every format; a run that resumes has the bits of one that never
// stopped; what does not fit is refused.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <adamant/adamant.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "checkpoint/files.h"
#include "checkpoint/header.h"
#include "checkpoint/state_text.h"
#include "tests/support/buffers.h"
#include "tests/support/checkpoint_ways.h"
#include "tests/support/files.h"
#include "tests/support/memory_system.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

/// A run over tensors of several sizes, with gradients that depend on the step.
struct Training {
  explicit Training(Rule rule = Rule::adamw, const Settings& settings = preset("q8"), const Options& options = {},
                    Format format = Format::bf16)
      : w(Buffer(format, 5000).fill(1)),
        small(Buffer(format, 70).fill(2)),
        empty(format, 0),
        g(format, 5000),
        gs(format, 70) {
    std::vector<ParamGroup> groups;
    groups.push_back({{{"layer.w", w.view(), g.view(), {50, 100}}}, {}, {}});
    groups.push_back({{{"small", small.view(), gs.view()}, {"empty", empty.view()}}, {}, Rule::sgd});
    groups.back().options.momentum = 0.9;
    optimizer.emplace(rule, std::move(groups), options, settings);
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      g.fill(100 + optimizer->steps());
      gs.fill(200 + optimizer->steps());
      optimizer->step();
    }
  }
  [[nodiscard]] std::string bits() const {
    std::string all = bits_of(optimizer->state_dict());
    for (const Buffer* buffer : {&w, &small})
      all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * info(buffer->format()).bytes);
    return all + std::to_string(optimizer->steps());
  }
  Buffer w, small, empty, g, gs;
  std::optional<Optimizer> optimizer;
};

class Checkpoint : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  fs::path path = folder.path() / "run.safetensors";
};

TEST_F(Checkpoint, ResumesAsIfTheRunHadNeverStopped) {
  for (const StateFormatInfo& state : state_formats()) {
    if (state.format == StateFormat::f64) continue;
    for (const WeightFormatInfo& weights : weight_formats()) {
      const Settings settings{.state = state.format, .weights = weights.format, .seed = 7, .max_norm = 3.0};
      Training straight(Rule::adamw, settings);
      straight.steps(7);
      Training first(Rule::adamw, settings);
      first.steps(4);
      save(*first.optimizer, path, {.params = true});
      Settings threads = settings;
      threads.threads = 1;
      threads.seed = 0;
      Training second(Rule::adamw, threads);
      load(*second.optimizer, path, {.params = true});
      EXPECT_EQ(second.bits(), first.bits());
      second.steps(3);
      EXPECT_EQ(second.bits(), straight.bits()) << state.name << " " << weights.name;
    }
  }
}

TEST_F(Checkpoint, HasEveryRuleAndF64) {
  for (const RuleInfo& rule : rules()) {
    for (const Format format : {Format::f32, Format::f64}) {
      Training first(rule.rule, {}, {}, format), second(rule.rule, {}, {}, format);
      first.steps(3);
      save(*first.optimizer, path, {.params = true});
      load(*second.optimizer, path, {.params = true});
      EXPECT_EQ(second.bits(), first.bits()) << rule.name;
    }
  }
}

TEST_F(Checkpoint, OfTheSameStateIsTheSameFile) {
  Training run;
  run.steps(2);
  save(*run.optimizer, path, {.params = true, .metadata = {{"epoch", "3"}, {"a", "b"}}});
  const std::string first = contents(path);
  EXPECT_EQ(first[0] & 7, 0) << "the length of the header, behind which the tensors are aligned";
  const fs::path other = folder.path() / "other";
  save(*run.optimizer, other, {.params = true, .metadata = {{"a", "b"}, {"epoch", "3"}}});
  EXPECT_EQ(contents(other), first);
  Training again;
  load(*again.optimizer, path, {.params = true});
  save(*again.optimizer, path, {.params = true, .metadata = {{"a", "b"}, {"epoch", "3"}}});
  EXPECT_EQ(contents(path), first);
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"other", "run.safetensors"}));
}

TEST_F(Checkpoint, HasParametersOfAnyNumberOfChunks) {
  constexpr std::size_t kSize = (std::size_t{1} << 18) + 5;  // 20 bytes in the second
  Buffer w = Buffer(Format::f32, kSize).fill(1), other(Format::f32, kSize);
  Optimizer saved(Rule::sgd, {{"w", w.view()}, {"x", other.view()}}),
      loaded(Rule::sgd, {{"w", w.view()}, {"x", other.view()}});
  save(saved, path, {.params = true});
  const Buffer expected = w;
  w.fill(2);
  load(loaded, path, {.params = true});
  EXPECT_EQ(w, expected);
}

TEST_F(Checkpoint, IsDescribed) {
  Training run;
  run.steps(2);
  save(*run.optimizer, path, {.metadata = {{"epoch", "3"}}});
  const CheckpointInfo info = inspect(path);
  EXPECT_EQ(info.state.steps, 2u);
  EXPECT_EQ(info.state.groups.size(), 2u);
  EXPECT_EQ(info.state.groups[1].rule, "sgd");
  EXPECT_EQ(info.state.groups[1].options.momentum, 0.9);
  EXPECT_EQ(info.state.tensors.at("layer.w").shape, (std::vector<std::size_t>{50, 100}));
  EXPECT_EQ(info.state.tensors.at("layer.w").states.at("exp_avg").bytes, 5000u);
  EXPECT_EQ(info.state.tensors.at("layer.w").states.at("exp_avg_sq").exponents, 40u);
  EXPECT_EQ(info.state_format, StateFormat::q8);
  EXPECT_EQ(info.weight_format, WeightFormat::split8);
  EXPECT_FALSE(info.params);
  EXPECT_EQ(info.metadata, (Metadata{{"epoch", "3"}}));
  EXPECT_EQ(info.bytes, fs::file_size(path));
  verify(path);
}

TEST_F(Checkpoint, HasShapesOfWholeNumbers) {
  const Training run;
  save(*run.optimizer, path);
  const std::string text = SafetensorsFile(path).metadata().at(std::string(checkpoint::kStateKey));
  EXPECT_NO_THROW(static_cast<void>(checkpoint::state_text_from(text)));
  for (const char* shape : {"[-1]", "[7.5]", "[\"7\"]", "[[7]]", "[null]"}) {
    std::string wrong = text;
    wrong.replace(wrong.find("[70]"), 4, shape);
    EXPECT_THROW(static_cast<void>(checkpoint::state_text_from(wrong)), checkpoint::Wrong) << shape;
  }
}

TEST_F(Checkpoint, OfSeveralFilesIsTheSameState) {
  Training run;
  run.steps(3);
  const SaveOptions options{.params = true, .max_file_bytes = 8000};
  save(*run.optimizer, path, options);
  const CheckpointInfo info = inspect(path);
  ASSERT_GT(info.files.size(), 2u);
  Training again;
  load(*again.optimizer, path, {.params = true});
  EXPECT_EQ(again.bits(), run.bits());
  verify(path);
  // What belongs to one tensor stays together.
  std::string last;
  for (std::size_t i = 1; i < info.files.size(); ++i) {
    std::vector<SafetensorsEntry> entries = SafetensorsFile(info.files[i]).entries();
    std::ranges::sort(entries, {}, &SafetensorsEntry::name);
    EXPECT_LT(last, entries.front().name);
    last = entries.back().name;
  }

  // The parts of the one before go.
  const std::size_t files = info.files.size();
  run.steps(1);
  save(*run.optimizer, path, options);
  EXPECT_EQ(names_in(folder.path()).size(), files);
  EXPECT_NE(inspect(path).files[1], info.files[1]);
  save(*run.optimizer, path, {.params = true});
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"run.safetensors"}));

  // Those of a run go with it.
  const fs::path place = folder.path() / "run";
  Checkpoints checkpoints(place, {.keep = 1, .params = true, .max_file_bytes = 8000});
  checkpoints.save(*run.optimizer);
  run.steps(1);
  checkpoints.save(*run.optimizer);
  EXPECT_EQ(names_in(place).size(), files);
}

TEST_F(Checkpoint, RefusesPartsOfAnotherState) {
  Training run;
  run.steps(1);
  const SaveOptions options{.max_file_bytes = 6000};
  save(*run.optimizer, path, options);
  const fs::path part = inspect(path).files[1];
  const std::string old = contents(part);
  run.steps(1);
  save(*run.optimizer, path, options);
  const fs::path newer = inspect(path).files[1];
  write(newer, old);
  EXPECT_REFUSED(ErrorCode::io, "is another one than it names", inspect(path));
  fs::remove(newer);
  EXPECT_REFUSED(ErrorCode::io, "No such file", inspect(path));
  write(folder.path() / "elsewhere", old);
  fs::create_symlink("elsewhere", newer);
  EXPECT_REFUSED(ErrorCode::io, "is a link", inspect(path));
}

TEST_F(Checkpoint, ConvertsWhereThatIsExact) {
  Training compact(Rule::adamw, preset("q8"));
  compact.steps(3);
  save(*compact.optimizer, path, {.params = true});
  Training exact(Rule::adamw, {.weights = WeightFormat::split16});
  load(*exact.optimizer, path, {.params = true});
  EXPECT_EQ(exact.optimizer->export_state("layer.w", "exp_avg"), compact.optimizer->export_state("layer.w", "exp_avg"));
  EXPECT_EQ(exact.optimizer->export_param("layer.w"), compact.optimizer->export_param("layer.w"));
  EXPECT_EQ(exact.optimizer->steps(), 3u);

  exact.steps(2);
  save(*exact.optimizer, path, {.params = true});
  const std::string before = compact.bits();
  EXPECT_REFUSED(ErrorCode::mismatch,
                 "the checkpoint has f32 states and split16 weights, the optimizer q8 and split8: to convert them "
                 "would round, which a load does only where `round` is set",
                 load(*compact.optimizer, path, {.params = true}));
  EXPECT_EQ(compact.bits(), before);
  load(*compact.optimizer, path, {.params = true, .round = true});
  EXPECT_EQ(compact.optimizer->steps(), 5u);
  EXPECT_EQ(compact.optimizer->tensor(0).state_format, StateFormat::q8);
}

TEST_F(Checkpoint, ConvertsAllOrNothing) {
  Training exact(Rule::adamw, {.weights = WeightFormat::split16}), compact(Rule::adamw, preset("q8-lite"));
  exact.steps(3);
  save(*exact.optimizer, path, {.params = true});
  // Its states lie in memory of the user, and a group has lost its tensors.
  compact.steps(2);
  std::vector<std::uint64_t> memory(5000 / 8);
  compact.optimizer->set_plane("layer.w", "exp_avg", PlaneKind::values, std::as_writable_bytes(std::span(memory)));
  const std::string before = compact.bits();
  std::string damaged = contents(path);
  damaged.back() = static_cast<char>(~damaged.back());
  const fs::path other = folder.path() / "damaged";
  write(other, damaged);
  EXPECT_REFUSED(ErrorCode::io, "is damaged", load(*compact.optimizer, other, {.round = true}));
  EXPECT_EQ(compact.bits(), before);
  const auto weights = exact.optimizer->export_param("layer.w");
  load(*compact.optimizer, path, {.params = true, .round = true});
  EXPECT_EQ(compact.optimizer->planes("layer.w")[0].bytes.data(), reinterpret_cast<std::byte*>(memory.data()));
  // Rounded to nearest, not cut off.
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(compact.w[i], static_cast<double>(static_cast<float>(bf16(weights[i])))) << i;
  }
  for (Training* run : {&exact, &compact}) {
    run->optimizer->remove_tensor("small");
    run->optimizer->remove_tensor("empty");
  }
  // Beside the longest of names.
  Buffer v(Format::bf16, 4), same = v;
  exact.optimizer->add_param_group({{{std::string(512, 'v'), v.view()}}, {}, {}});
  compact.optimizer->add_param_group({{{std::string(512, 'v'), same.view()}}, {}, {}});
  save(*exact.optimizer, path, {.params = true});
  load(*compact.optimizer, path, {.params = true, .round = true});
  EXPECT_EQ(compact.optimizer->group_count(), 3u);
  for (Training* run : {&exact, &compact}) {
    while (run->optimizer->tensor_count() > 0) run->optimizer->remove_tensor(std::size_t{0});
  }
  save(*exact.optimizer, path);
  load(*compact.optimizer, path, {.round = true});
  EXPECT_EQ(compact.optimizer->steps(), exact.optimizer->steps());
}

TEST_F(Checkpoint, RefusesWhatIsNotOfThisOptimizer) {
  Training run, other;
  run.steps(2);
  other.steps(1);
  save(*run.optimizer, path);
  const std::string before = other.bits();
  EXPECT_REFUSED(ErrorCode::not_found, "has no parameters", load(*other.optimizer, path, {.params = true}));
  Training adam(Rule::adam);
  EXPECT_REFUSED(ErrorCode::mismatch, "rule of group 0 is 'adamw', must be 'adam'", load(*adam.optimizer, path));
  Training amsgrad(Rule::adamw, preset("q8"), {.amsgrad = true});
  EXPECT_REFUSED(ErrorCode::mismatch, "formula", load(*amsgrad.optimizer, path));
  std::vector<float> w(3), more(1);
  Optimizer another(Rule::adamw, {{"w", w}, {"more", more}});
  save(another, folder.path() / "another", {.params = true});
  Optimizer without(Rule::adamw, {{"w", w}});
  EXPECT_REFUSED(ErrorCode::mismatch, "'more' is not one of",
                 load(without, folder.path() / "another", {.params = true}));
  Optimizer lone(Rule::adamw, {{"w", w}}, {}, {});
  EXPECT_REFUSED(ErrorCode::mismatch, "parameter groups", load(lone, path, {.round = true}));
  EXPECT_EQ(other.bits(), before);
}

TEST_F(Checkpoint, RefusesWhatIsNoCheckpoint) {
  Training run;
  EXPECT_REFUSED(ErrorCode::io, "No such file", load(*run.optimizer, path));
  EXPECT_REFUSED(ErrorCode::io, "is not a regular file", load(*run.optimizer, folder.path()));
  EXPECT_REFUSED(ErrorCode::io, "is not a regular file", load(*run.optimizer, "/dev/zero"));
  write(path, "");
  EXPECT_REFUSED(ErrorCode::io, "has 0 bytes", load(*run.optimizer, path));
  const std::vector<float> numbers = {1, 2, 3};
  save_safetensors(path, std::vector<SafetensorsTensor>{{"w", "F32", {3}, std::as_bytes(std::span(numbers))}});
  EXPECT_REFUSED(ErrorCode::io, "is no checkpoint", load(*run.optimizer, path));
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_REFUSED(ErrorCode::io, "is not a regular file", load(*run.optimizer, pipe));
  EXPECT_REFUSED(ErrorCode::io, "is not a regular file", save(*run.optimizer, pipe));
  EXPECT_REFUSED(ErrorCode::io, "is not a regular file", save(*run.optimizer, folder.path()));
  EXPECT_REFUSED(ErrorCode::io, "No such file", save(*run.optimizer, folder.path() / "missing" / "x"));
  for (const char* own : {"adamant", "adamant.x"}) {
    EXPECT_REFUSED(ErrorCode::invalid_argument, "the library's own",
                   save(*run.optimizer, path, {.metadata = {{own, ""}}}));
  }
  EXPECT_REFUSED(ErrorCode::invalid_argument, "UTF-8", save(*run.optimizer, path, {.metadata = {{"x", "\xff"}}}));
}

TEST_F(Checkpoint, FindsEveryBitAndEveryLength) {
  std::vector<float> w(9), g(9, 0.5f);
  Optimizer optimizer(Rule::adamw, {{"w", w, g}});
  optimizer.step();
  save(optimizer, path, {.params = true});
  const std::string whole = contents(path);
  const fs::path damaged = folder.path() / "damaged";
  const std::string before = bits_of(optimizer.state_dict());
  const auto found = [&](const std::string& bytes) {
    fs::remove(damaged);  // what is written over is flushed by some file systems
    write(damaged, bytes);
    try {
      load(optimizer, damaged, {.params = true});
    } catch (const Error& error) {
      return error.code() == ErrorCode::io || error.code() == ErrorCode::mismatch;
    }
    return false;
  };
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_TRUE(found(bytes)) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_TRUE(found(whole.substr(0, length))) << length << " bytes";
  }
  for (const std::size_t more : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{4096}})
    ASSERT_TRUE(found(whole + std::string(more, '\0')));
  EXPECT_EQ(bits_of(optimizer.state_dict()), before);
  std::cout << 8 * whole.size() << " bits and " << whole.size() << " lengths of a file, all found\n";
}

TEST_F(Checkpoint, KeepsWhoMayRead) {
  Training run;
  write(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  save(*run.optimizer, path);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  // What a link leads to is replaced, not the link.
  const fs::path link = folder.path() / "link";
  fs::create_symlink("run.safetensors", link);
  run.steps(1);
  save(*run.optimizer, link);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(inspect(path).state.steps, 1u);
}

// Not even while it is written.
TEST_F(Checkpoint, IsReadByNoOneElse) {
  const Training run;
  MemorySystem memory(kFolder);
  const UseSystem use(memory);
  save(*run.optimizer, kPath);
  for (auto& [file, mode] : memory.files.modes) mode = 0600;
  std::vector<MemoryChange> changes;
  memory.changes = &changes;
  save(*run.optimizer, kPath);
  for (const MemoryChange& change : changes) EXPECT_EQ(change.mode & 077u, 0u);
  // It has its memory before anything is written.
  ASSERT_GT(changes.size(), 3u);
  EXPECT_TRUE(std::ranges::any_of(changes, [](const auto& its) { return its.kind == MemoryChange::allocate; }));
}

TEST_F(Checkpoint, TornStatesWaitForALoad) {
  Training run, other;
  run.steps(2);
  other.steps(1);
  const StateDict dict = run.optimizer->state_dict();
  StateDescription sizes;
  run.optimizer->with_state([&](const StateDictView& view) {
    sizes.seed = view.seed;
    sizes.steps = view.steps;
    sizes.groups = view.groups;
    for (const auto& [name, entry] : view.tensors) {
      sizes.tensors[name] = {entry.shape, entry.step, entry.weight_format, entry.weight_bits.size(), {}};
      for (const auto& [state, its] : entry.states) {
        sizes.tensors[name].states[state] = {its.format, its.bytes.size(), its.exponents.size()};
      }
    }
  });
  int calls = 0, last = 1 << 30;
  const ReadPlane read = [&](std::string_view tensor, std::string_view state, PlaneKind kind, std::size_t first,
                             std::span<std::byte> to) {
    if (++calls > last) throw Error(ErrorCode::io, "the disk is gone");
    const StateDict::Entry& entry = dict.tensors.at(std::string(tensor));
    const auto& bytes = kind == PlaneKind::low_bits ? entry.weight_bits
                        : kind == PlaneKind::values ? entry.states.at(std::string(state)).bytes
                                                    : entry.states.at(std::string(state)).exponents;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(first), to.size(), to.begin());
  };
  const std::string before = other.bits();
  last = 1;
  EXPECT_REFUSED(ErrorCode::io, "the disk is gone", other.optimizer->load_state_dict(sizes, read));
  EXPECT_EQ(other.bits(), before);
  calls = 0;
  last = 1 << 30;
  Training third;
  third.optimizer->load_state_dict(sizes, read);
  EXPECT_EQ(bits_of(third.optimizer->state_dict()), bits_of(dict));
  last = calls - 1;
  calls = 0;
  EXPECT_REFUSED(ErrorCode::io, "the disk is gone; states are mixed now",
                 other.optimizer->load_state_dict(sizes, read));
  EXPECT_REFUSED(ErrorCode::io, "after a load that broke off", other.optimizer->step());
  EXPECT_REFUSED(ErrorCode::io, "after a load that broke off", save(*other.optimizer, path));
  EXPECT_REFUSED(ErrorCode::io, "after a load that broke off", other.optimizer->set_grad("small", {}));
  other.optimizer->load_state_dict(dict);
  other.optimizer->step();
}

TEST_F(Checkpoint, HoldsTheOptimizerStill) {
  Training run;
  run.optimizer->with_state(
      [&](const StateDictView&) { EXPECT_REFUSED(ErrorCode::busy, "another call", run.optimizer->step()); });
  run.optimizer->begin_step();
  EXPECT_REFUSED(ErrorCode::busy, "begin_step", save(*run.optimizer, path));
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Checkpoint, OfARunAreKeptInTheirFolder) {
  Training run;
  const fs::path place = folder.path() / "a" / "b";
  Checkpoints checkpoints(place, {.keep = 2, .params = true});
  EXPECT_FALSE(checkpoints.load_newest(*run.optimizer));
  for (int i = 1; i <= 4; ++i) {
    run.steps(1);
    checkpoints.save(*run.optimizer, {{"i", std::to_string(i)}});
  }
  EXPECT_EQ(names_in(place),
            (std::vector<std::string>{"step-000000000003.safetensors", "step-000000000004.safetensors"}));
  ASSERT_EQ(checkpoints.list().size(), 2u);
  EXPECT_EQ(checkpoints.list()[1].steps, 4u);
  Training again;
  const auto info = checkpoints.load_newest(*again.optimizer, {.params = true});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->metadata.at("i"), "4");
  EXPECT_EQ(again.bits(), run.bits());

  Training older;
  older.steps(1);
  EXPECT_REFUSED(ErrorCode::mismatch, "remove_after", checkpoints.save(*older.optimizer));
  checkpoints.remove_after(1);
  checkpoints.save(*older.optimizer);
  checkpoints.remove_after(1);
  EXPECT_EQ(names_in(place), (std::vector<std::string>{"step-000000000001.safetensors"}));
  checkpoints.clear();
  EXPECT_EQ(names_in(place), std::vector<std::string>{});
  EXPECT_REFUSED(ErrorCode::invalid_argument, "keep", Checkpoints(place, {.keep = 0}));
}

TEST_F(Checkpoint, LeavesNothingUnfinishedBehind) {
  Training run;
  run.steps(1);
  const fs::path place = folder.path() / "run";
  {
    Checkpoints checkpoints(place, {.keep = 1, .max_file_bytes = 6000});
    checkpoints.save(*run.optimizer);
  }
  // As a process leaves them that is killed: a temporary file, and parts that no file names.
  const std::string name = inspect(place / "step-000000000001.safetensors").files[1].filename();
  std::string orphan = name;
  orphan.replace(orphan.find("0001"), 4, "0002");
  write(place / orphan, "x");
  write(place / ".adamant-0123456789abcdef.tmp", "x");
  write(place / "step-000000000001.txt", "the user's");
  // What someone still writes is no such file.
  const checkpoint::Folder of_another(place);
  const checkpoint::NewFile unfinished(of_another, "x", 1);
  const std::size_t files = names_in(place).size();
  // Who only reads cannot tell parts that no file names from those of a checkpoint that is being saved.
  Checkpoints again(place, {.keep = 1, .max_file_bytes = 6000});
  EXPECT_EQ(names_in(place).size(), files - 1);
  EXPECT_TRUE(fs::exists(place / orphan));
  again.save(*run.optimizer);
  EXPECT_EQ(names_in(place).size(), files - 2);
  verify(again.list()[0].path);
}

TEST_F(Checkpoint, LeavesThePartsOfOthersAlone) {
  Training run;
  run.steps(1);
  const SaveOptions in_parts{.max_file_bytes = 6000};
  const fs::path other = folder.path() / "run";  // as path, without the extension
  save(*run.optimizer, path, in_parts);
  const std::size_t files = names_in(folder.path()).size();
  ASSERT_GT(files, 1U);
  save(*run.optimizer, other, in_parts);
  EXPECT_EQ(names_in(folder.path()).size(), 2 * files);
  run.steps(1);
  save(*run.optimizer, other, in_parts);
  EXPECT_EQ(names_in(folder.path()).size(), 2 * files);
  verify(path);
  verify(other);
  save(*run.optimizer, other);
  EXPECT_EQ(names_in(folder.path()).size(), files + 1);
  verify(path);
}

TEST_F(Checkpoint, GoesToTheFolderThatWasOpened) {
  Training run;
  const fs::path place = folder.path() / "run", moved = folder.path() / "moved";
  {
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    Checkpoints relative("run", {.keep = 2});
    fs::current_path(before);
    for (int save = 0; save < 3; ++save) {
      run.steps(1);
      relative.save(*run.optimizer);
    }
    ASSERT_EQ(relative.list().size(), 2U);
    EXPECT_EQ(relative.list()[0].path, place / "step-000000000002.safetensors");
  }
  Checkpoints checkpoints(place, {.keep = 2});
  fs::rename(place, moved);
  EXPECT_REFUSED(ErrorCode::io, "cannot be opened: No such file", static_cast<void>(checkpoints.list()));
  fs::create_directory(place);
  run.steps(1);
  checkpoints.save(*run.optimizer);
  EXPECT_TRUE(fs::is_empty(place));
  EXPECT_EQ(names_in(moved),
            (std::vector<std::string>{"step-000000000003.safetensors", "step-000000000004.safetensors"}));
  EXPECT_REFUSED(ErrorCode::io, "is another folder than the one that was opened",
                 static_cast<void>(checkpoints.list()));
  EXPECT_REFUSED(ErrorCode::io, "is another folder than the one that was opened",
                 checkpoints.load_newest(*run.optimizer));
}

TEST_F(Checkpoint, InTheBackgroundIsThatOfItsMoment) {
  Training run;
  const fs::path place = folder.path() / "run";
  Checkpoints checkpoints(place, {.keep = 3, .params = true});
  run.steps(1);
  const std::string then = run.bits();
  checkpoints.save_in_background(*run.optimizer);
  run.steps(3);
  checkpoints.wait();
  Training again;
  checkpoints.load_newest(*again.optimizer, {.params = true});
  EXPECT_EQ(again.bits(), then);

  // What goes wrong is told by the next call, once.
  fs::permissions(place, fs::perms::owner_read | fs::perms::owner_exec);
  fs::remove_all(place);
  checkpoints.save_in_background(*run.optimizer);
  EXPECT_REFUSED(ErrorCode::io, "cannot be written", checkpoints.save(*run.optimizer));
  checkpoints.wait();
}

}  // namespace
}  // namespace adamant::testing
