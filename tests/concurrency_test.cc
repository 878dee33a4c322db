// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers, threads and processes: one call at a time on each, any number of them side by side.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/workers.h"
#include "tests/support/buffers.h"
#include "tests/support/files.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

// Enough for work on several threads.
constexpr std::size_t kLarge = 200000;

/// Memory whose first reader waits until the gate opens: a step that has such a gradient runs for as long as one likes.
class Gate {
 public:
  explicit Gate(std::size_t bytes) : bytes_(bytes) {
    memory_ = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory_, MAP_FAILED);
    gate = this;
    struct sigaction action = {};
    action.sa_sigaction = &on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &old_action_);
  }
  ~Gate() {
    sigaction(SIGSEGV, &old_action_, nullptr);
    munmap(memory_, bytes_);
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  [[nodiscard]] float* data() const { return static_cast<float*>(memory_); }
  void wait_for_reader() const {
    while (!reached_) sched_yield();
  }
  void open() {
    mprotect(memory_, bytes_, PROT_READ);
    open_ = true;
  }

 private:
  // Back from here, the reader reads again.
  static void on_fault(int, siginfo_t* fault, void*) {
    const auto* at = static_cast<const std::byte*>(fault->si_addr);
    const auto* begin = static_cast<const std::byte*>(gate->memory_);
    if (at < begin || at >= begin + gate->bytes_) {
      sigaction(SIGSEGV, &gate->old_action_, nullptr);
      return;
    }
    gate->reached_ = true;
    for (int ms = 0; !gate->open_ && ms < kPatience; ++ms) usleep(1000);
    gate->open();
  }

  // No test waits for ever where a call that should have been refused reads too.
  static constexpr int kPatience = 10000;

  static inline Gate* gate = nullptr;
  void* memory_;
  std::size_t bytes_;
  struct sigaction old_action_ = {};
  std::atomic<bool> reached_ = false, open_ = false;
};

/// Every call on an optimizer of a tensor 'w' of 8 elements.
struct Call {
  const char* name;
  std::function<void(Optimizer&)> run;
};
float spare[8], spare_grad[8];
const std::vector<std::int64_t> kNoRows;

const Call kCalls[] = {
    {"step", [](Optimizer& o) { o.step(); }},
    {"zero_grad", [](Optimizer& o) { o.zero_grad(); }},
    {"set_grad", [](Optimizer& o) { o.set_grad(0, spare_grad); }},
    {"set_grad", [](Optimizer& o) { o.set_grad("w", spare_grad); }},
    {"set_grads", [](Optimizer& o) { o.set_grads({}); }},
    {"set_lazy_row_grad", [](Optimizer& o) { o.set_lazy_row_grad(0, kNoRows, Tensor()); }},
    {"set_lazy_row_grad", [](Optimizer& o) { o.set_lazy_row_grad("w", kNoRows, Tensor()); }},
    // A name that another call is about to add may not be there yet.
    {"set_grad", [](Optimizer& o) { o.set_grad("later", spare_grad); }},
    {"set_lazy_row_grad", [](Optimizer& o) { o.set_lazy_row_grad("later", kNoRows, Tensor()); }},
    {"step_tensor", [](Optimizer& o) { o.step_tensor("later"); }},
    {"step_tensor", [](Optimizer& o) { o.step_tensor("later", spare_grad); }},
    {"step_tensor", [](Optimizer& o) { o.step_tensor("later", spare_grad, Format::f32); }},
    {"set_param", [](Optimizer& o) { o.set_param("w", spare); }},
    {"set_params", [](Optimizer& o) { o.set_params({}); }},
    {"set_plane", [](Optimizer& o) { o.set_plane("w", "exp_avg", PlaneKind::values, {}); }},
    {"remove_tensor", [](Optimizer& o) { o.remove_tensor("w"); }},
    {"add_param_group", [](Optimizer& o) { o.add_param_group({{{"more", spare}}, {}}); }},
    {"set_options", [](Optimizer& o) { o.set_options(0, {.lr = 0.5}); }},
    {"set_lr", [](Optimizer& o) { o.set_lr(0.5); }},
    {"set_settings", [](Optimizer& o) { o.set_settings({.max_norm = 1.0}); }},
    {"change_settings", [](Optimizer& o) { o.change_settings([](Settings& s) { s.max_norm = 1.0; }); }},
    {"state_dict", [](Optimizer& o) { static_cast<void>(o.state_dict()); }},
    {"load_state_dict", [](Optimizer& o) { o.load_state_dict({}); }},
    {"with_state", [](Optimizer& o) { o.with_state([](const StateDictView&) {}); }},
    {"set_tensor_step", [](Optimizer& o) { o.set_tensor_step("w", 5); }},
    {"set_progress", [](Optimizer& o) { o.set_progress(5, {}); }},
    {"export_param", [](Optimizer& o) { static_cast<void>(o.export_param("w")); }},
    {"import_param", [](Optimizer& o) { o.import_param("w", spare); }},
    {"export_state", [](Optimizer& o) { static_cast<void>(o.export_state("w", "exp_avg")); }},
    {"set_formats", [](Optimizer& o) { o.set_formats(StateFormat::bf16, WeightFormat::plain); }},
};
// These do not ask whether a step runs.
const Call kLooks[] = {
    {"group_count", [](Optimizer& o) { static_cast<void>(o.group_count()); }},
    {"options", [](Optimizer& o) { static_cast<void>(o.options()); }},
    {"settings", [](Optimizer& o) { static_cast<void>(o.settings()); }},
    {"rule", [](Optimizer& o) { static_cast<void>(o.rule()); }},
    {"formula", [](Optimizer& o) { static_cast<void>(o.formula()); }},
    {"grad_norm", [](Optimizer& o) { static_cast<void>(o.grad_norm()); }},
    {"steps", [](Optimizer& o) { static_cast<void>(o.steps()); }},
    {"tensor_count", [](Optimizer& o) { static_cast<void>(o.tensor_count()); }},
    {"tensor", [](Optimizer& o) { static_cast<void>(o.tensor(0)); }},
    {"tensor_index", [](Optimizer& o) { static_cast<void>(o.tensor_index("w")); }},
    {"param", [](Optimizer& o) { static_cast<void>(o.param("w")); }},
    {"state", [](Optimizer& o) { static_cast<void>(o.state("w", "exp_avg")); }},
    {"planes", [](Optimizer& o) { static_cast<void>(o.planes("w")); }},
    {"bytes_per_parameter", [](Optimizer& o) { static_cast<void>(o.bytes_per_parameter()); }},
};

// What the header declares is in one of these lists, but for the step by tensors, which has tests of its own.
TEST(OneOptimizer, HasNoCallThatIsNotListedHere) {
  std::ifstream header(std::filesystem::path(ADAMANT_TEST_DATA) / "../../include/adamant/optimizer.hpp");
  ASSERT_TRUE(header);
  std::set<std::string> listed = {"begin_step", "step_tensor", "end_step"}, declared;
  for (const Call& call : kCalls) listed.insert(call.name);
  for (const Call& call : kLooks) listed.insert(call.name);
  bool inside = false;
  for (std::string line; std::getline(header, line);) {
    if (line == "class ADAMANT_EXPORT Optimizer {") inside = true;
    if (line == " private:") inside = false;
    // A declaration is indented by two; its name stands before the first parenthesis.
    const std::size_t end = line.find('(');
    if (!inside || end == std::string::npos || line.find_first_not_of(' ') != 2 || line[2] == '/') continue;
    std::size_t begin = end;
    while (std::isalnum(static_cast<unsigned char>(line[begin - 1])) != 0 || line[begin - 1] == '_') --begin;
    const std::string name = line.substr(begin, end - begin);
    if (!name.empty() && name != "Optimizer") declared.insert(name);
  }
  EXPECT_EQ(declared, listed);
}

TEST(OneOptimizer, RefusesASecondCallWhileAStepRuns) {
  Buffer w = Buffer(Format::f32, 8).fill(1), same = w, zeros(Format::f32, 8);
  Gate gate(8 * sizeof(float));
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), Tensor(gate.data(), 8)}});
  std::thread stepping([&] { EXPECT_TRUE(optimizer.step().applied); });
  gate.wait_for_reader();
  for (const Call& call : kCalls) {
    EXPECT_EQ(refusal([&] { call.run(optimizer); }),
              std::string("busy: ") + call.name + "() called while another call on the same optimizer is running");
  }
  gate.open();
  stepping.join();
  // As if nobody had called; and the next call is welcome.
  Optimizer alone(Rule::adamw, {{"w", same.view(), zeros.view()}});
  alone.step();
  EXPECT_EQ(w, same);
  EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(alone.state_dict()));
  EXPECT_EQ(optimizer.tensor_count(), 1u);
  EXPECT_EQ(*optimizer.options().lr, *alone.options().lr);
  EXPECT_EQ(optimizer.settings().max_norm, std::nullopt);
}

TEST(OneOptimizer, SteppedByTwoThreadsTakesTheStepsThatWereNotRefused) {
  Buffer w = Buffer(Format::f32, kLarge).fill(1), same = w, g = Buffer(Format::f32, kLarge).fill(2);
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  std::atomic<int> taken = 0;
  const auto step = [&] {
    for (int i = 0; i < 30; ++i) {
      const std::string said = refusal([&] { optimizer.step(); });
      taken += said == "accepted" ? 1 : 0;
      if (said != "accepted") {
        EXPECT_EQ(said, "busy: step() called while another call on the same optimizer is running");
      }
    }
  };
  std::thread other(step);
  step();
  other.join();
  EXPECT_GE(taken, 30) << "one thread's refusal is the other's step";
  Optimizer alone(Rule::adamw, {{"w", same.view(), g.view()}});
  for (int i = 0; i < taken; ++i) alone.step();
  EXPECT_EQ(w, same);
  EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(alone.state_dict()));
}

TEST(OneOptimizer, IsOfNoThread) {
  Buffer w = Buffer(Format::f32, kLarge).fill(1), same = w, g = Buffer(Format::f32, kLarge).fill(2);
  std::optional<Optimizer> optimizer;
  std::thread([&] { optimizer.emplace(Rule::adamw, std::vector<Param>{{"w", w.view(), g.view()}}); }).join();
  std::thread([&] { optimizer->step(); }).join();
  optimizer->step();
  std::thread([&] { optimizer.reset(); }).join();
  Optimizer alone(Rule::adamw, {{"w", same.view(), g.view()}});
  alone.step();
  alone.step();
  EXPECT_EQ(w, same);
}

TEST(ManyOptimizers, SideBySideHaveTheBitsOfEachAlone) {
  // All read the same gradients.
  const Buffer before = Buffer(Format::f32, kLarge).fill(1);
  Buffer g = Buffer(Format::f32, kLarge).fill(2);
  std::vector<Buffer> together(forms().size(), before);
  const auto train = [&](const Form& form, Buffer& w) {
    Optimizer optimizer(form.rule, {{"w", w.view(), g.view()}}, form.options, {.max_norm = 10.0});
    for (int step = 0; step < 5; ++step) optimizer.step();
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < forms().size(); ++i) threads.emplace_back([&, i] { train(forms()[i], together[i]); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < forms().size(); ++i) {
    Buffer alone = before;
    train(forms()[i], alone);
    EXPECT_EQ(together[i], alone) << forms()[i].name;
  }
}

TEST(ManyOptimizers, SmallOnes) {
  constexpr std::size_t kCount = 500;
  Buffer g = Buffer(Format::f32, 10).fill(2), expected = Buffer(Format::f32, 10).fill(1);
  std::vector<Buffer> params(kCount, expected);
  std::vector<Optimizer> optimizers;
  for (Buffer& w : params) optimizers.emplace_back(Rule::adamw, std::vector<Param>{{"w", w.view(), g.view()}});
  for (Optimizer& optimizer : optimizers) optimizer.step();
  Optimizer(Rule::adamw, {{"w", expected.view(), g.view()}}).step();
  for (const Buffer& w : params) EXPECT_EQ(w, expected);
}

TEST(MovedOptimizers, ContinueWhereTheyAreAndRefuseEveryCallWhereTheyWere) {
  Buffer w = Buffer(Format::f32, 8).fill(1), same = w, g = Buffer(Format::f32, 8).fill(2);
  Optimizer first(Rule::adamw, {{"w", w.view(), g.view()}});
  Optimizer alone(Rule::adamw, {{"w", same.view(), g.view()}});
  first.step();
  Optimizer second = std::move(first);
  second.step();
  const auto expect_empty = [](Optimizer& optimizer) {
    constexpr const char* kRefused = "invalid_argument: optimizer was moved from: it holds nothing";
    for (const Call& call : kCalls) EXPECT_EQ(refusal([&] { call.run(optimizer); }), kRefused) << call.name;
    for (const Call& look : kLooks) EXPECT_EQ(refusal([&] { look.run(optimizer); }), kRefused) << look.name;
  };
  expect_empty(first);
  first = std::move(second);
  first.step();
  expect_empty(second);
  for (int step = 0; step < 3; ++step) alone.step();
  EXPECT_EQ(w, same);
  EXPECT_EQ(bits_of(first.state_dict()), bits_of(alone.state_dict()));
}

TEST(MovedOptimizers, TakeThePlaceOfAnother) {
  Buffer w = Buffer(Format::f32, 8).fill(1), v = w, g = Buffer(Format::f32, 8).fill(2);
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  optimizer = Optimizer(Rule::sgd, {{"v", v.view(), g.view()}});
  optimizer.step();
  EXPECT_EQ(optimizer.rule(), Rule::sgd);
  EXPECT_EQ(w, Buffer(Format::f32, 8).fill(1));
  EXPECT_NE(v, w);
}

/// Whether `check` holds in a child process, which is given a minute.
bool holds_in_a_child(const std::function<bool()>& check) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ForkedChildren, StepAndLeaveTheParentAlone) {
  Buffer w = Buffer(Format::f32, kLarge).fill(1), same = w, g = Buffer(Format::f32, kLarge).fill(2);
  Optimizer alone(Rule::adamw, {{"w", same.view(), g.view()}}, {}, {.max_norm = 10.0, .threads = 3});
  alone.step();
  alone.step();
  // With threads that have worked, and that the child will not have.
  std::optional<Optimizer> optimizer(std::in_place, Rule::adamw, std::vector<Param>{{"w", w.view(), g.view()}},
                                     Options(), Settings{.max_norm = 10.0, .threads = 3});
  optimizer->step();
  const Buffer before = w;
  EXPECT_TRUE(holds_in_a_child([&] {
    optimizer->step();
    const bool bits = w == same && bits_of(optimizer->state_dict()) == bits_of(alone.state_dict());
    optimizer.reset();
    return bits;
  }));
  EXPECT_EQ(w, before);
  optimizer->step();
  EXPECT_EQ(w, same);
}

#if defined(__linux__)
// A process that has stepped, and its child, are each the first process of a namespace, and have the id 1.
bool holds_for_a_child_of_the_same_id() {
  return unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 && holds_in_a_child([] {
           // The system does not keep the stacks of so many threads: to join one that is gone would be fatal.
           constexpr std::size_t kHuge = 10 * kLarge;
           Buffer w = Buffer(Format::f32, kHuge).fill(1), same = w, g = Buffer(Format::f32, kHuge).fill(2);
           Optimizer alone(Rule::adamw, {{"w", same.view(), g.view()}}, {}, {.threads = 1});
           alone.step();
           alone.step();
           std::optional<Optimizer> optimizer(std::in_place, Rule::adamw, std::vector<Param>{{"w", w.view(), g.view()}},
                                              Options(), Settings{.threads = 8});
           optimizer->step();
           return getpid() == 1 && unshare(CLONE_NEWPID) == 0 && holds_in_a_child([&] {
                    optimizer->step();
                    optimizer.reset();
                    return getpid() == 1 && w == same;
                  });
         });
}

TEST(ForkedChildren, DoNotWaitForWhatTheirParentSaves) {
  const TemporaryFolder folder;
  Buffer w = Buffer(Format::f32, kLarge).fill(1);
  Optimizer optimizer(Rule::adamw, {{"w", w.view()}});
  std::optional<Checkpoints> checkpoints(folder.path());
  checkpoints->save_in_background(optimizer);
  EXPECT_TRUE(holds_in_a_child([&] {
    const bool refused = refusal([&] {
                           checkpoints->wait();
                         }).find("when this process was forked from the one that saves it") != std::string::npos;
    checkpoints.reset();
    return refused;
  }));
  checkpoints->wait();
  EXPECT_EQ(checkpoints->list().size(), 1U);
  // With nothing being saved, a child may go on.
  EXPECT_TRUE(holds_in_a_child([&] { return checkpoints->load_newest(optimizer).has_value(); }));
}

TEST(ForkedChildren, MayHaveTheIdOfTheirParent) {
  if (!holds_in_a_child([] { return unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0; })) GTEST_SKIP() << "no namespaces";
  EXPECT_TRUE(holds_in_a_child(holds_for_a_child_of_the_same_id));
}
#endif

TEST(ForkedChildren, MakeOptimizersOfTheirOwn) {
  Buffer w = Buffer(Format::f32, kLarge).fill(1), same = w, g = Buffer(Format::f32, kLarge).fill(2);
  Optimizer(Rule::adamw, {{"w", same.view(), g.view()}}).step();
  EXPECT_TRUE(holds_in_a_child([&] {
    Optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, {.threads = 3}).step();
    return w == same;
  }));
}

/// The threads of this process, once they have been as many for 50 ms: one that was joined is listed for a moment more.
std::size_t thread_count() {
  std::size_t count = 0;
  for (int same = 0; same < 50; ++same) {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    const auto now = static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
    if (std::exchange(count, now) != now) same = 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return count;
}

/// An optimizer with work for several threads.
struct Model {
  Buffer w = Buffer(Format::f32, kLarge).fill(1), g = Buffer(Format::f32, kLarge).fill(2);
  Optimizer optimizer;
  explicit Model(int threads) : optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, {.threads = threads}) {}
};

TEST(Threads, AreSharedAndEndWithTheLastOptimizer) {
  std::thread([] {}).join();  // with which a sanitizer starts a thread of its own
  const std::size_t before = thread_count();
  std::optional<Model> one(3), two(3);
  EXPECT_EQ(thread_count(), before) << "nobody needs any yet";
  for (Model* model : {&*one, &*two}) model->optimizer.step();
  EXPECT_EQ(thread_count(), before + 2);
  one.reset();
  two->optimizer.step();
  EXPECT_EQ(thread_count(), before + 2);
  two.reset();
  EXPECT_EQ(thread_count(), before);
}

TEST(Threads, WorkTogether) {
  constexpr int kThreads = 3;
  Workers workers(kThreads);
  std::atomic<int> inside = 0;
  // Each piece is held until all threads have one: made for the first, woken for the second.
  for (int all = kThreads; all <= 2 * kThreads; all += kThreads) {
    workers.run(kThreads, [&](std::size_t) {
      ++inside;
      for (int ms = 0; inside < all && ms < 10000; ++ms) usleep(1000);
      EXPECT_EQ(inside, all);
    });
    usleep(10000);  // until they sleep
  }
}

TEST(Threads, DoTheWorkOfAnyNumberOfCallers) {
  constexpr int kCallers = 40;
  constexpr std::size_t kPieces = 5;
  std::atomic<int> inside = 0;
  std::vector<std::thread> callers;
  std::vector<std::array<std::atomic<int>, kPieces + 1>> done(kCallers);
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      Workers(2).run(kPieces, [&](std::size_t i) {
        ++done[static_cast<std::size_t>(c)].at(i);
        // Until all callers are at work.
        if (i == 0) ++inside;
        for (int ms = 0; inside < kCallers && ms < 10000; ++ms) usleep(1000);
      });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(inside, kCallers);
  for (const auto& pieces : done) {
    for (std::size_t i = 0; i < kPieces; ++i) EXPECT_EQ(pieces[i], 1);
    EXPECT_EQ(pieces[kPieces], 0);
  }
}

TEST(Threads, RunWhereTheProcessMay) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(getpid(), sizeof(all), &all), 0);
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    Model model(3);
    model.optimizer.step();
    // A thread has to run before it can look around.
    const auto unbound = [&] {
      std::size_t count = 0;
      for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        cpu_set_t found;
        const int thread = std::stoi(task.path().filename().string());
        count += sched_getaffinity(thread, sizeof(found), &found) == 0 && CPU_EQUAL(&found, &all);
      }
      return count;
    };
    for (int ms = 0; unbound() < thread_count() - 1 && ms < 10000; ++ms) usleep(1000);
    EXPECT_EQ(unbound(), thread_count() - 1) << "all but this one";
  }).join();
}

/// While it lives no thread can be made: each would get a stack as large as the address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t attributes = usual_;
    pthread_attr_setstacksize(&attributes, std::size_t{1} << 47);
    pthread_setattr_default_np(&attributes);
    EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  }
  ~NoThreads() { pthread_setattr_default_np(&usual_); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t usual_;
};

TEST(Threads, AreNotNeeded) {
  const std::size_t before = thread_count();
  Model model(3), alone(1);
  {
    const NoThreads none;
    for (Model* each : {&model, &alone}) each->optimizer.step();
    EXPECT_EQ(thread_count(), before);
  }
  EXPECT_EQ(model.w, alone.w);
  // Once they can be made again, they are, before long.
  for (int step = 0; step < 100; ++step) model.optimizer.step();
  EXPECT_EQ(thread_count(), before + 2);
  for (int step = 0; step < 100; ++step) alone.optimizer.step();
  EXPECT_EQ(model.w, alone.w);
}

TEST(Threads, DoNotKeepAProcessFromItsExit) {
  EXPECT_TRUE(holds_in_a_child([] {
    static Model leaked(3);
    static std::atomic<int> steps = 0;
    std::thread([] {
      for (;; ++steps) Model(3).optimizer.step();
    }).detach();
    while (steps < 3) leaked.optimizer.step();
    std::exit(0);
    return false;
  }));
}

}  // namespace
}  // namespace adamant::testing
