// All rules in one valley, 100 times as curved across as along, from one point: the distance to its bottom at the end.
// Prints: AdamW 0.000, Adam 0.000, SGD 0.134, RMSprop 0.000, Adagrad 0.002
#include <adamant/adamant.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

int main() {
  const char* separator = "";
  for (const adamant::RuleInfo& rule : adamant::rules()) {
    std::vector<float> at = {1.0f, 1.0f}, gradient(2);
    const double lr = rule.rule == adamant::Rule::sgd ? 0.01 : 0.1;
    adamant::Optimizer optimizer(rule.rule, {{"at", at, gradient}}, {.lr = lr, .weight_decay = 0.0});
    for (int step = 0; step < 200; ++step) {
      gradient = {at[0], 100.0f * at[1]};
      optimizer.step();
    }
    std::printf("%s%s %.3f", separator, std::string(rule.title).c_str(), static_cast<double>(std::hypot(at[0], at[1])));
    separator = ", ";
  }
  std::printf("\n");
}
