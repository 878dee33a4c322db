// The code of Q8. The bits of a float, read as an integer, are a logarithm that is linear inside each binade. With an
// offset a, a power of two, bits(x + a) - bits(a) is linear in x below a and logarithmic above, and 0 for 0. A code
// keeps its upper bits: four below the binary point of a binade, 16 codes a binade.
template <class D>
struct LogLinear {
  using B = Bits<D>;
  using F = Floats<D>;
  static constexpr int kDropped = 19;  // of the 23 mantissa bits

  /// x ≥ 0; the code grows with x. `words` decide the rounding.
  HWY_INLINE static B encode(F x, F offset, B words) {
    const B dropped = words.template down<32 - kDropped>();
    return (bits_of(x + offset) - bits_of(offset) + dropped).template down<kDropped>();
  }
  /// Exact.
  HWY_INLINE static F decode(B code, F offset) {
    return floats_of(code.template up<kDropped>() + bits_of(offset)) - offset;
  }
  /// At most the top code; and of the codes of a group close to the largest f32, only those of finite numbers.
  HWY_INLINE static B limited(B code, F offset, std::uint32_t top) {
    const B finite = (B::of(0x7F7FFFFFu) - bits_of(offset)).template down<kDropped>();
    return {hn::Min(code.v, hn::Min(finite.v, B::of(top).v))};
  }
};

/// The words of a rounding for the lanes of a vector that starts at element i of the rounding.
template <class D>
HWY_INLINE Bits<D> words(D, const Rounding& rounding, std::size_t i) {
  const hn::RebindToUnsigned<D> du;
  const Bits<D> lane{hn::Iota(du, 0u)};
  return Bits<D>{hn::Mul(lane.v, hn::Set(du, rounding.step))} +
         (rounding.base + static_cast<std::uint32_t>(i) * rounding.step);
}

template <class D>
HWY_INLINE Bits<D> load_byte(D, const std::uint8_t* from) {
  const hn::Rebind<std::uint8_t, D> narrow;
  return {hn::PromoteTo(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))};
}

template <class D>
HWY_INLINE void store_byte(D, Bits<D> codes, std::uint8_t* to) {
  const hn::Rebind<std::uint8_t, D> narrow;
  hn::StoreU(hn::TruncateTo(narrow, codes.v), narrow, to);
}

/// 2^-h and 2^h for h = floor(e/2), e the exponent of v: about √v, by two integer operations.
template <class D>
HWY_INLINE Bits<D> half_exponent(Floats<D> v) {
  return (bits_of(v).template down<23>() + 127u).template down<1>();
}

/// Unsigned, alone in its group: a second moment. 8 bits: 16 binades of which the top two codes stay free, so that a
/// slowly growing value can round up across a power of two instead of freezing below it.
template <class D>
struct Q8Unsigned {
  static constexpr std::uint32_t kBinades = 16;
  HWY_INLINE static Bits<D> encode(Floats<D> v, Floats<D> offset, Bits<D> word) {
    const Bits<D> code = LogLinear<D>::encode(v, offset, word);
    // A value above zero never becomes zero: it would divide what it scales by ε alone.
    const Bits<D> least = select(bits_of(v) > 0u, Bits<D>::of(1u), Bits<D>::of(0u));
    return LogLinear<D>::limited({hn::Max(code.v, least.v)}, offset, 255u);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) { return LogLinear<D>::decode(code, offset); }
};

/// Sign and 7 bits: 8 binades, against the group's offset.
template <class D>
struct Q8Signed {
  static constexpr std::uint32_t kBinades = 8;
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> offset, Bits<D> word) {
    const Bits<D> code = LogLinear<D>::encode(abs(m), offset, word);
    return LogLinear<D>::limited(code, offset, 127u) | (bits_of(m).template down<24>() & 0x80u);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) {
    const Bits<D> sign = (code & 0x80u).template up<24>();
    return floats_of(bits_of(LogLinear<D>::decode(code & 0x7Fu, offset)) | sign);
  }
};

/// Signed, in units of about the root of its companion second moment: a first moment. |m|/√v is bounded, by 7.3 for
/// betas (0.9, 0.999); codes reach 16.
template <class D>
struct Q8Relative {
  static constexpr float kOffset = 0.0625f;
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> v, Bits<D> word) {
    const Floats<D> shrink = floats_of((Bits<D>::of(254u) - half_exponent(v)).template up<23>());
    const Bits<D> code = Q8Signed<D>::encode(m * shrink, Floats<D>::of(kOffset), word);
    return select(bits_of(v) > 0u, code, Bits<D>::of(0u));
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> v) {
    const Floats<D> grow = floats_of(half_exponent(v).template up<23>());
    return Q8Signed<D>::decode(code, Floats<D>::of(kOffset)) * grow;
  }
};
