// A step that adds up what it sees. Included once per instruction set.
template <class Rule, class T>
struct Observe {
  using Scalars = typename Rule::template Scalars<T>;

  static void run(const StepScalars& packed, double factor, double bound, void* p, const void* g, void* const* states,
                  std::size_t n, double* out) {
    const Constants k = constants(packed, factor, bound);
    Streams streams{static_cast<T*>(p), static_cast<const T*>(g), {}};
    for (std::size_t s = 0; s < Rule::kStates; ++s) streams.states[s] = static_cast<T*>(states[s]);

    const hn::CappedTag<T, kLanes> d;
    using V = Floats<hn::CappedTag<T, kLanes>>;
    constexpr std::size_t kVectors = kLanes / hn::MaxLanes(decltype(d)());
    constexpr std::size_t kWidth = kLanes / kVectors;
    const std::size_t whole = n - n % kLanes;
    alignas(64) T lanes[kSums][kLanes];
    // One vector's worth of lanes after the other, so that their sums stay in registers; the block is in cache.
    for (std::size_t v = 0; v < kVectors; ++v) {
      V sums[kSums];
      for (V& sum : sums) sum = V::of(T(0));
      for (std::size_t i = v * kWidth; i < whole; i += kLanes) one(d, k, streams, i, sums);
      for (std::size_t j = 0; j < kSums; ++j) sums[j].store(lanes[j] + v * kWidth);
    }
    std::size_t i = whole;
    for (std::size_t l = 0; i < n; ++i, ++l) {
      Floats<Single> rest[kSums];
      for (std::size_t j = 0; j < kSums; ++j) rest[j] = Floats<Single>::load(lanes[j] + l);
      one(Single(), k, streams, i, rest);
      for (std::size_t j = 0; j < kSums; ++j) rest[j].store(lanes[j] + l);
    }
    for (std::size_t j = 0; j < kSums; ++j) {
      fold<kLanes / 2>(lanes[j], j == kLargestU);
      out[j] = static_cast<double>(lanes[j][0]);
    }
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
    const Seen<V> seen = Rule::see(k.scalars, before, grad, values);
    const auto number = [](V value) HWY_ATTR {
      T result;
      value.store(&result);
      return static_cast<double>(result);
    };
    return {number(seen.g), number(seen.m), second_moment < 0 ? 0.0 : number(values[second_moment]), number(seen.u)};
  }

  static double unbias_second(const StepScalars& packed) {
    return Rule::unbias_second(constants(packed, 1.0, 1.0).scalars);
  }

 private:
  static constexpr std::size_t kLanes = 16;
  static constexpr std::size_t kStateSlots = Rule::kStates == 0 ? 1 : Rule::kStates;
  using Single = hn::CappedTag<T, 1>;

  struct Constants {
    Scalars scalars;
    T factor, bound;
  };
  struct Streams {
    T* HWY_RESTRICT p;
    const T* HWY_RESTRICT g;
    T* HWY_RESTRICT states[kMaxStates];
  };

  static Constants constants(const StepScalars& packed, double factor, double bound) {
    Constants constants{{}, static_cast<T>(factor), static_cast<T>(bound)};
    std::memcpy(&constants.scalars, packed.bytes, sizeof(Scalars));
    return constants;
  }

  // Lane l and lane l + kWidth become lane l, down to one.
  template <std::size_t kWidth>
  HWY_INLINE static void fold(T* lanes, bool largest) {
    using V = Floats<hn::CappedTag<T, kWidth>>;
    constexpr std::size_t kStep = hn::MaxLanes(hn::CappedTag<T, kWidth>());
    for (std::size_t l = 0; l < kWidth; l += kStep) {
      const V a = V::load(lanes + l), b = V::load(lanes + l + kWidth);
      (largest ? larger(a, b) : a + b).store(lanes + l);
    }
    if constexpr (kWidth > 1) fold<kWidth / 2>(lanes, largest);
  }

  template <class D>
  HWY_INLINE static void one(D, const Constants& k, const Streams& streams, std::size_t i, Floats<D> (&sums)[kSums]) {
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
    V m_old = V::of(T(0));
    if constexpr (Rule::kFirstMoment >= 0) m_old = states[Rule::kFirstMoment];
    const V w = p;
    Rule::update(k.scalars, p, g, states);
    p.store(streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s].store(streams.states[s] + i);
    const Seen<V> x = Rule::see(k.scalars, w, g, states);
    const auto add = [&sums](std::size_t j, V term) HWY_ATTR { sums[j] = sums[j] + term; };
    add(0, x.g * x.g);
    add(1, x.m * x.m);
    add(2, m_old * x.g);
    add(3, x.u * x.u);
    sums[kLargestU] = larger(sums[kLargestU], abs(x.u));
    add(5, x.g * x.u);
    add(6, x.m * x.u);
    add(7, w * w);
    add(8, w * x.u);
    const V gr = x.g * x.r;
    add(9, gr * gr);
    add(10, x.r);
  }
};
