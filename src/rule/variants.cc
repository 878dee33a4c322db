#include "rule/variants.h"

namespace adamant {

Variant variant_of(Rule rule, const Options& options) {
  switch (rule) {
    case Rule::adamw:
      return *options.amsgrad ? Variant::adamw_amsgrad : Variant::adamw;
    case Rule::adam:
      return *options.amsgrad ? Variant::adam_amsgrad : Variant::adam;
    case Rule::sgd:
      if (*options.momentum == 0.0) return Variant::sgd;
      return *options.nesterov ? Variant::sgd_nesterov : Variant::sgd_momentum;
    case Rule::rmsprop:
      if (*options.momentum == 0.0) return *options.centered ? Variant::rmsprop_centered : Variant::rmsprop;
      return *options.centered ? Variant::rmsprop_centered_momentum : Variant::rmsprop_momentum;
    case Rule::adagrad:
      return Variant::adagrad;
  }
  return Variant::adamw;
}

}  // namespace adamant
