// A step that adds up what it sees. Included once per instruction set.
template <class Rule, class T>
struct Observe {
  using Scalars = typename Rule::template Scalars<T>;

  static void run(const StepScalars& packed, double factor, double bound, void* p, const void* g, void* const* states,
                  std::size_t n, double* out) {
    const Constants k = constants(packed, factor, bound);
    Streams streams{static_cast<T*>(p), static_cast<const T*>(g), {}};
    for (std::size_t s = 0; s < Rule::kStates; ++s) streams.states[s] = static_cast<T*>(states[s]);

    // First the update, then the sums: in one loop they would be too long, for a processor that waits for a root looks
    // only so many operations ahead for other work. What the sums need is kept in cache meanwhile.
    Kept kept;
    const Wide d;
    std::size_t i = 0;
    for (; i + kWidth <= n; i += kWidth) one(d, k, streams, i, kept);
    for (; i < n; ++i) one(Single(), k, streams, i, kept);

    alignas(64) T lanes[kSums][kLanes];
    add_block<false>(k, streams, kept, n, lanes);
    add_block<true>(k, streams, kept, n, lanes);
    for (std::size_t j = 0; j < kSums; ++j) out[j] = static_cast<double>(fold<false>(lanes[j]));
    out[kLargestU] = static_cast<double>(fold<true>(lanes[kLargestU]));
  }

  static SeenElement see(const StepScalars& packed, double factor, double bound, const void* p, const void* g,
                         const void* const* states, int second_moment) {
    using V = Floats<Single>;
    const Constants k = constants(packed, factor, bound);
    V weight = V::load(static_cast<const T*>(p));
    const V before = weight;
    const V grad = prepared(V::load(static_cast<const T*>(g)), k.factor, k.bound);
    V values[kStateSlots];
    for (std::size_t s = 0; s < Rule::kStates; ++s) values[s] = V::load(static_cast<const T*>(states[s]));
    Rule::update(k.scalars, weight, grad, values);
    const V r = V::of(T(1)) / Rule::denominator(k.scalars, values);
    const Seen<V> seen = Rule::see(k.scalars, before, grad, values, r);
    V m = seen.g;
    if constexpr (Rule::kFirstMoment >= 0) m = values[Rule::kFirstMoment];
    const auto number = [](V value) HWY_ATTR {
      T result;
      value.store(&result);
      return static_cast<double>(result);
    };
    return {number(seen.g), number(m), second_moment < 0 ? 0.0 : number(values[second_moment]), number(seen.u)};
  }

  static double unbias_second(const StepScalars& packed) {
    return Rule::unbias_second(constants(packed, 1.0, 1.0).scalars);
  }

 private:
  static constexpr std::size_t kLanes = 16;
  static constexpr std::size_t kStateSlots = Rule::kStates == 0 ? 1 : Rule::kStates;
  using Single = hn::CappedTag<T, 1>;
  using Wide = hn::CappedTag<T, kLanes>;
  static constexpr std::size_t kWidth = hn::MaxLanes(Wide());

  struct Constants {
    Scalars scalars;
    T factor, bound;
  };
  struct Streams {
    T* HWY_RESTRICT p;
    const T* HWY_RESTRICT g;
    T* HWY_RESTRICT states[kMaxStates];
  };

  struct Kept {
    alignas(64) T w[kBlock];
    alignas(64) T g[kBlock];
    alignas(64) T m_old[Rule::kFirstMoment >= 0 ? kBlock : 1];
    alignas(64) T denominator[kBlock];
  };

  static Constants constants(const StepScalars& packed, double factor, double bound) {
    Constants constants{{}, static_cast<T>(factor), static_cast<T>(bound)};
    std::memcpy(&constants.scalars, packed.bytes, sizeof(Scalars));
    return constants;
  }

  // The sums in two parts, those with r and u and the others: each part fits into the registers that every instruction
  // set has.
  static constexpr bool is_scaled(std::size_t j) { return j > 2 && j != 7; }

  template <bool kScaled>
  static HWY_NOINLINE void add_block(const Constants& k, const Streams& streams, const Kept& kept, std::size_t n,
                                     T (&lanes)[kSums][kLanes]) {
    const std::size_t whole = n - n % kLanes;
    // One vector's worth of lanes after the other, so that their sums stay in registers.
    for (std::size_t first = 0; first < kLanes; first += kWidth) {
      Floats<Wide> sums[kSums];
      for (Floats<Wide>& sum : sums) sum = Floats<Wide>::of(T(0));
      for (std::size_t i = first; i < whole; i += kLanes) add<kScaled>(Wide(), k, streams, kept, i, sums);
      for (std::size_t j = 0; j < kSums; ++j) {
        if (is_scaled(j) == kScaled) sums[j].store(lanes[j] + first);
      }
    }
    for (std::size_t i = whole; i < n; ++i) {
      Floats<Single> sums[kSums];
      for (std::size_t j = 0; j < kSums; ++j) {
        if (is_scaled(j) == kScaled) sums[j] = Floats<Single>::load(lanes[j] + (i - whole));
      }
      add<kScaled>(Single(), k, streams, kept, i, sums);
      for (std::size_t j = 0; j < kSums; ++j) {
        if (is_scaled(j) == kScaled) sums[j].store(lanes[j] + (i - whole));
      }
    }
  }

  // Lane l and lane l + 8 become lane l, then l and l + 4, down to one.
  template <bool kLargest>
  HWY_INLINE static T fold(const T* lanes) {
    using V = Floats<Wide>;
    V parts[kLanes / kWidth];
    for (std::size_t l = 0; l < kLanes; l += kWidth) parts[l / kWidth] = V::load(lanes + l);
    for (std::size_t count = kLanes / kWidth / 2; count > 0; count /= 2) {
      for (std::size_t l = 0; l < count; ++l) parts[l] = joined<kLargest>(parts[l], parts[l + count]);
    }
    return halved<kLargest>(parts[0]);
  }
  template <bool kLargest, class D>
  HWY_INLINE static T halved(Floats<D> a) {
#if HWY_TARGET != HWY_SCALAR  // whose vectors have no halves
    if constexpr (hn::MaxLanes(D()) > 1) {
      using Half = hn::Half<D>;
      const Floats<Half> low(hn::LowerHalf(Half(), a.v)), high(hn::UpperHalf(Half(), a.v));
      return halved<kLargest>(joined<kLargest>(low, high));
    }
#endif
    return hn::GetLane(a.v);
  }
  template <bool kLargest, class V>
  HWY_INLINE static V joined(V a, V b) {
    return kLargest ? larger(a, b) : a + b;
  }

  template <class D>
  HWY_INLINE static void one(D, const Constants& k, const Streams& streams, std::size_t i, Kept& kept) {
    using V = Floats<D>;
    V states[kStateSlots];
    V p = V::load(streams.p + i);
    const V g = prepared(V::load(streams.g + i), k.factor, k.bound);
    if constexpr (hn::MaxLanes(D()) > 1) {
      __builtin_prefetch(streams.p + i + kAhead);
      __builtin_prefetch(streams.g + i + kAhead);
      for (std::size_t s = 0; s < Rule::kStates; ++s) __builtin_prefetch(streams.states[s] + i + kAhead);
    }
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = V::load(streams.states[s] + i);
    p.store(kept.w + i);
    g.store(kept.g + i);
    if constexpr (Rule::kFirstMoment >= 0) states[Rule::kFirstMoment].store(kept.m_old + i);
    Rule::update(k.scalars, p, g, states);
    p.store(streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s].store(streams.states[s] + i);
    Rule::denominator(k.scalars, states).store(kept.denominator + i);
  }

  template <bool kScaled, class D>
  HWY_INLINE static void add(D, const Constants& k, const Streams& streams, const Kept& kept, std::size_t i,
                             Floats<D> (&sums)[kSums]) {
    using V = Floats<D>;
    V states[kStateSlots];
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = V::load(streams.states[s] + i);
    const V w = V::load(kept.w + i);
    const V r = kScaled ? V::of(T(1)) / V::load(kept.denominator + i) : V::of(T(0));
    const auto [g, u] = Rule::see(k.scalars, w, V::load(kept.g + i), states, r);
    V m = g, m_old = V::of(T(0));
    if constexpr (Rule::kFirstMoment >= 0) {
      m = states[Rule::kFirstMoment];
      m_old = V::load(kept.m_old + i);
    }
    const auto add = [&sums](std::size_t j, V term) HWY_ATTR {
      if (is_scaled(j) == kScaled) sums[j] = sums[j] + term;
    };
    add(0, g * g);
    add(1, m * m);
    add(2, m_old * g);
    add(3, u * u);
    if (kScaled) sums[kLargestU] = larger(sums[kLargestU], abs(u));
    add(5, g * u);
    add(6, m * u);
    add(7, w * w);
    add(8, w * u);
    const V gr = g * r;
    add(9, gr * gr);
    add(10, r);
  }
};

/// Every rule as it is observed in arithmetic of T, for this instruction set.
template <class T>
const ObserveKernels* observe_table() {
  static constexpr ObserveKernels kTable = {HWY_TARGET,
                                            {
#define ADAMANT_OBSERVE(name, type, ...) &Observe<type, T>::run,
                                                ADAMANT_VARIANTS(ADAMANT_OBSERVE)
#undef ADAMANT_OBSERVE
                                            },
                                            {
#define ADAMANT_SEE(name, type, ...) &Observe<type, T>::see,
                                                ADAMANT_VARIANTS(ADAMANT_SEE)
#undef ADAMANT_SEE
                                            },
                                            {
#define ADAMANT_UNBIAS(name, type, ...) &Observe<type, T>::unbias_second,
                                                ADAMANT_VARIANTS(ADAMANT_UNBIAS)
#undef ADAMANT_UNBIAS
                                            }};
  return &kTable;
}
