// The one loop: load every stream, run the rule, store what the rule changes. Included once per instruction set.
template <class Rule, class T, class P, class G, class S>
struct Step {
  using Scalars = typename Rule::template Scalars<T>;
  static_assert(sizeof(Scalars) <= sizeof(StepScalars));

  static void prepare(const Options& options, std::uint64_t t, StepScalars& scalars) {
    const Scalars values = Rule::template prepare<T>(options, t);
    std::memcpy(scalars.bytes, &values, sizeof(values));
  }

  static void run(const StepScalars& packed, double factor, double bound, void* p, const void* g, void* const* states,
                  std::size_t n) {
    Constants constants{{}, static_cast<T>(factor), static_cast<T>(bound)};
    std::memcpy(&constants.scalars, packed.bytes, sizeof(Scalars));
    Streams streams{static_cast<typename P::Stored*>(p), static_cast<const typename G::Stored*>(g), {}};
    for (std::size_t s = 0; s < Rule::kStates; ++s) streams.states[s] = static_cast<typename S::Stored*>(states[s]);

    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    const std::size_t turn = kUnroll * lanes;
    for (; i + turn <= n; i += turn) {
      ask_ahead(streams, i, turn);
      for (std::size_t u = 0; u < turn; u += kPairs ? 2 * lanes : lanes) {
        if constexpr (kPairs) {
          pair(d, constants, streams, i + u);
        } else {
          one(d, constants, streams, i + u);
        }
      }
    }
    const hn::CappedTag<T, 1> single;
    for (; i < n; ++i) one(single, constants, streams, i);
  }

 private:
  static constexpr std::size_t kUnroll = 4;
  // All streams in 16 bits: vectors of even and of odd elements. (One lane has no pairs.)
  static constexpr bool kPairs = sizeof(typename P::Stored) == 2 && sizeof(typename G::Stored) == 2 &&
                                 sizeof(typename S::Stored) == 2 && hn::MaxLanes(hn::ScalableTag<T>()) > 1;
  static constexpr std::size_t kStateSlots = Rule::kStates == 0 ? 1 : Rule::kStates;

  struct Constants {
    Scalars scalars;
    T factor, bound;
  };

  struct Streams {
    typename P::Stored* HWY_RESTRICT p;
    const typename G::Stored* HWY_RESTRICT g;
    typename S::Stored* HWY_RESTRICT states[kMaxStates];
  };

  // Every line of each stream, once.
  HWY_INLINE static void ask_ahead(const Streams& streams, std::size_t i, std::size_t n) {
    const auto ask = [i, n](const auto* stream) HWY_ATTR {
      constexpr std::size_t kLine = 64 / sizeof(*stream);
      for (std::size_t k = 0; k < n; k += kLine) __builtin_prefetch(stream + i + k + kAhead);
    };
    ask(streams.p);
    ask(streams.g);
    for (std::size_t s = 0; s < Rule::kStates; ++s) ask(streams.states[s]);
  }

  template <class D>
  HWY_INLINE static void one(D d, const Constants& k, const Streams& streams, std::size_t i) {
    using V = Floats<D>;
    V states[kStateSlots];
    V p = P::load(d, streams.p + i);
    const V g = prepared(G::load(d, streams.g + i), k.factor, k.bound);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = S::load(d, streams.states[s] + i);
    Rule::update(k.scalars, p, g, states);
    P::store(d, p, streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) S::store(d, states[s], streams.states[s] + i);
  }

  template <class D>
  HWY_INLINE static void pair(D d, const Constants& k, const Streams& streams, std::size_t i) {
    using V = Floats<D>;
    V p[2];
    V g[2];
    V states[2][kStateSlots];
    P::load_even_odd(d, streams.p + i, p[0], p[1]);
    G::load_even_odd(d, streams.g + i, g[0], g[1]);
    for (std::size_t s = 0; s < Rule::kStates; ++s) {
      S::load_even_odd(d, streams.states[s] + i, states[0][s], states[1][s]);
    }
    for (int half = 0; half < 2; ++half) {
      Rule::update(k.scalars, p[half], prepared(g[half], k.factor, k.bound), states[half]);
    }
    P::store_even_odd(d, p[0], p[1], streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) {
      S::store_even_odd(d, states[0][s], states[1][s], streams.states[s] + i);
    }
  }
};

/// Every rule in arithmetic of T, on parameters, gradients and states that are kept so, for this instruction set.
template <class T, class Kept>
const RuleKernels* rule_table() {
  static constexpr RuleKernels kTable = {HWY_TARGET,
                                         {
#define ADAMANT_PREPARE(name, type, ...) &Step<type, T, Kept, Kept, Kept>::prepare,
                                             ADAMANT_VARIANTS(ADAMANT_PREPARE)
#undef ADAMANT_PREPARE
                                         },
                                         {
#define ADAMANT_STEP(name, type, ...) &Step<type, T, Kept, Kept, Kept>::run,
                                             ADAMANT_VARIANTS(ADAMANT_STEP)
#undef ADAMANT_STEP
                                         }};
  return &kTable;
}
