// Four vectors at once: lane l of vector j holds element 4·l + j. So codes of one byte are taken from 32-bit words and
// put back by shifts and masks, without moving anything between lanes.

/// The byte j of every word, moved to bits kAt to kAt + 7, zeros elsewhere.
template <int kAt, int j, class D>
HWY_INLINE Bits<D> byte_of(Bits<D> bytes) {
  constexpr int kFrom = 8 * j;
  const Bits<D> moved = [&]() HWY_ATTR {
    if constexpr (kAt > kFrom) return bytes.template up<kAt - kFrom>();
    if constexpr (kAt < kFrom) return bytes.template down<kFrom - kAt>();
    if constexpr (kAt == kFrom) return bytes;
  }();
  return moved & (0xFFu << kAt);
}

/// `to`, with bits kAt to kAt + 7 of x as its byte j, which was zero.
template <int kAt, int j, class D>
HWY_INLINE Bits<D> with_byte(Bits<D> to, Bits<D> x) {
  constexpr int kTo = 8 * j;
  const Bits<D> moved = [&]() HWY_ATTR {
    if constexpr (kAt > kTo) return x.template down<kAt - kTo>();
    if constexpr (kAt < kTo) return x.template up<kTo - kAt>();
    if constexpr (kAt == kTo) return x;
  }();
  return or_masked(to, moved, 0xFFu << kTo);
}

template <int kAt, class D>
HWY_INLINE void load_bytes(D d, const std::uint8_t* from, Bits<D> (&to)[4]) {
  const hn::Repartition<std::uint8_t, D> narrow;
  const Bits<D> bytes{hn::BitCast(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))};
  to[0] = byte_of<kAt, 0, D>(bytes);
  to[1] = byte_of<kAt, 1, D>(bytes);
  to[2] = byte_of<kAt, 2, D>(bytes);
  to[3] = byte_of<kAt, 3, D>(bytes);
}

/// Bits kAt to kAt + 7.
template <int kAt, class D>
HWY_INLINE void store_bytes(D d, const Bits<D> (&from)[4], std::uint8_t* to) {
  const hn::Repartition<std::uint8_t, D> narrow;
  Bits<D> bytes = byte_of<0, 0, D>(from[0].template down<kAt>());
  bytes = with_byte<kAt, 1, D>(bytes, from[1]);
  bytes = with_byte<kAt, 2, D>(bytes, from[2]);
  bytes = with_byte<kAt, 3, D>(bytes, from[3]);
  hn::StoreU(hn::BitCast(narrow, bytes.v), narrow, to);
}

/// Halves in pairs: the words of `low` hold elements 4·l and 4·l + 1, those of `high` 4·l + 2 and 4·l + 3.
template <class D>
struct HalfPairs {
  Bits<D> low, high;

  HWY_INLINE static HalfPairs load(D d, const std::uint16_t* from) {
    const hn::RebindToUnsigned<D> du;
    const hn::Repartition<std::uint16_t, D> narrow;
    const auto first = hn::BitCast(du, hn::LoadU(narrow, from));
    const auto second = hn::BitCast(du, hn::LoadU(narrow, from + 2 * hn::Lanes(d)));
    return {{hn::ConcatEven(du, second, first)}, {hn::ConcatOdd(du, second, first)}};
  }
  /// To whole words.
  HWY_INLINE void store(D, std::uint32_t* to) const {
    hn::StoreInterleaved2(low.v, high.v, hn::RebindToUnsigned<D>(), to);
  }
  /// As the upper halves of words; what lies below is zero.
  HWY_INLINE void split(Bits<D> (&to)[4]) const {
    to[0] = low.template up<16>();
    to[1] = low & 0xFFFF0000u;
    to[2] = high.template up<16>();
    to[3] = high & 0xFFFF0000u;
  }
  /// From the upper halves of words, whatever lies below.
  HWY_INLINE static HalfPairs join(const Bits<D> (&from)[4]) {
    return {or_masked(from[0].template down<16>(), from[1], 0xFFFF0000u),
            or_masked(from[2].template down<16>(), from[3], 0xFFFF0000u)};
  }
  /// From the lower halves.
  HWY_INLINE static HalfPairs join_lower(const Bits<D> (&from)[4]) {
    return {or_masked(from[1].template up<16>(), from[0], 0xFFFFu),
            or_masked(from[3].template up<16>(), from[2], 0xFFFFu)};
  }
  /// The largest magnitudes so far, half by half.
  HWY_INLINE HalfPairs largest(HalfPairs with) const {
    return {larger_halves(low, with.low & 0x7FFF7FFFu), larger_halves(high, with.high & 0x7FFF7FFFu)};
  }
  HWY_INLINE bool any_above(std::uint32_t magnitude) const {
    const hn::Repartition<std::int16_t, D> halves;
    const auto limit = hn::Set(halves, static_cast<std::int16_t>(magnitude));
    return !hn::AllFalse(halves, hn::Gt(hn::BitCast(halves, larger_halves(low, high).v), limit));
  }

 private:
  HWY_INLINE static Bits<D> larger_halves(Bits<D> a, Bits<D> b) {
    const hn::Repartition<std::int16_t, D> halves;
    return {hn::BitCast(hn::RebindToUnsigned<D>(), hn::Max(hn::BitCast(halves, a.v), hn::BitCast(halves, b.v)))};
  }
};
