// An outside program: includes everything, takes one step, and checks that the parameter moved.
#include <adamant/adamant.hpp>
#include <vector>

int main() {
  std::vector<float> w{1.0f}, g{1.0f};
  adamant::AdamW adamw({{"w", w, g}}, {.lr = 0.25, .weight_decay = 0.0});
  adamw.step();
  return w[0] > 0.74f && w[0] < 0.76f ? 0 : 1;
}
