#include "lab/run.h"

namespace adamant::lab {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::diverged:
      return "diverged";
    case Outcome::interrupted:
      return "interrupted";
  }
  return "";
}

}  // namespace adamant::lab
