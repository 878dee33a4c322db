#include "rule/variants.h"

#include <algorithm>

#include "rule/adagrad_model.h"
#include "rule/adam_model.h"
#include "rule/adamw_model.h"
#include "rule/options.h"
#include "rule/rmsprop_model.h"
#include "rule/sgd_model.h"

namespace adamant {

Variant variant_of(Rule rule, const Options& options) {
  switch (rule) {
    case Rule::adamw:
      return given(options.amsgrad) ? Variant::adamw_amsgrad : Variant::adamw;
    case Rule::adam:
      return given(options.amsgrad) ? Variant::adam_amsgrad : Variant::adam;
    case Rule::sgd:
      if (given(options.momentum) == 0.0) return Variant::sgd;
      return given(options.nesterov) ? Variant::sgd_nesterov : Variant::sgd_momentum;
    case Rule::rmsprop:
      if (given(options.momentum) == 0.0) return given(options.centered) ? Variant::rmsprop_centered : Variant::rmsprop;
      return given(options.centered) ? Variant::rmsprop_centered_momentum : Variant::rmsprop_momentum;
    case Rule::adagrad:
      return Variant::adagrad;
  }
  return Variant::adamw;
}

RuleModel model_of(Rule rule, const Options& options, std::uint64_t step) {
  const Options complete = merge(defaults(rule), options);
  const std::uint64_t t = std::max<std::uint64_t>(1, step);
  RuleModel model;
  switch (variant_of(rule, complete)) {
#define ADAMANT_MODEL(name, type, ...)    \
  case Variant::name:                     \
    model = model::type::at(complete, t); \
    break;
    ADAMANT_VARIANTS(ADAMANT_MODEL)
#undef ADAMANT_MODEL
  }
  model.step = t;
  return model;
}

}  // namespace adamant
