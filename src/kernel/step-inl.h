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
    Scalars scalars;
    std::memcpy(&scalars, packed.bytes, sizeof(scalars));
    Streams streams{static_cast<typename P::Stored*>(p), static_cast<const typename G::Stored*>(g), {}};
    for (std::size_t s = 0; s < Rule::kStates; ++s) streams.states[s] = static_cast<typename S::Stored*>(states[s]);

    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + kUnroll * lanes <= n; i += kUnroll * lanes) {
      for (std::size_t u = 0; u < kUnroll; ++u) {
        one(d, scalars, static_cast<T>(factor), static_cast<T>(bound), streams, i + u * lanes);
      }
    }
    const hn::CappedTag<T, 1> single;
    for (; i < n; ++i) one(single, scalars, static_cast<T>(factor), static_cast<T>(bound), streams, i);
  }

 private:
  static constexpr std::size_t kUnroll = 4;

  struct Streams {
    typename P::Stored* HWY_RESTRICT p;
    const typename G::Stored* HWY_RESTRICT g;
    typename S::Stored* HWY_RESTRICT states[kMaxStates];
  };

  template <class D>
  HWY_INLINE static void one(D d, const Scalars& scalars, T factor, T bound, const Streams& streams, std::size_t i) {
    using V = Floats<D>;
    V states[Rule::kStates == 0 ? 1 : Rule::kStates];
    V p = P::load(d, streams.p + i);
    const V g = prepared(G::load(d, streams.g + i), factor, bound);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = S::load(d, streams.states[s] + i);
    Rule::update(scalars, p, g, states);
    P::store(d, p, streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) S::store(d, states[s], streams.states[s] + i);
  }
};
