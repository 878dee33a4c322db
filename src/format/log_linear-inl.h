// The code of Q8. The bits of a float, read as an integer, are a logarithm that is linear inside each binade. With an
// offset a, a power of two, bits(x + a) - bits(a) is linear in x below a and logarithmic above, and 0 for 0. A code
// keeps its upper bits: four below the binary point of a binade, 16 codes a binade.
//
// A code is handled in place: its 8 bits are bits 19 to 26 of a word.
inline constexpr int kCodeAt = 19;
inline constexpr std::uint32_t kCodeUnit = 1u << kCodeAt;

template <class D>
struct LogLinear {
  using B = Bits<D>;
  using F = Floats<D>;

  /// x ≥ 0, as the bits of x + a cut to a code; grows with x. `words` decide the rounding.
  HWY_INLINE static B cut(F x, F offset, B words) {
    return (bits_of(x + offset) + words.template down<32 - kCodeAt>()) & ~(kCodeUnit - 1);
  }
  HWY_INLINE static B code(B cut, F offset) { return cut - bits_of(offset); }
  /// Exact.
  HWY_INLINE static F value(B cut, F offset) { return floats_of(cut) - offset; }
  HWY_INLINE static F decode(B code, F offset) { return value(code + bits_of(offset), offset); }
};

/// The words of a rounding for elements i, i + stride, ... in the lanes of a vector.
template <class D>
HWY_INLINE Bits<D> words(D, const Rounding& rounding, std::size_t i, std::uint32_t stride = 1) {
  const hn::RebindToUnsigned<D> du;
  const Bits<D> lane{hn::Iota(du, 0u)};
  return Bits<D>{hn::Mul(lane.v, hn::Set(du, stride * rounding.step))} +
         (rounding.base + static_cast<std::uint32_t>(i) * rounding.step);
}

/// In the low bits.
template <class D>
HWY_INLINE Bits<D> load_byte(D, const std::uint8_t* from) {
  const hn::Rebind<std::uint8_t, D> narrow;
  return {hn::PromoteTo(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))};
}

/// The low bits, which hold no more than a byte.
template <class D>
HWY_INLINE void store_byte(D, Bits<D> codes, std::uint8_t* to) {
  const hn::Rebind<std::uint8_t, D> narrow;
  hn::StoreU(hn::TruncateTo(narrow, codes.v), narrow, to);
}

/// The exponent byte of a group: the biased exponent of the offset that puts the largest magnitude two codes below the
/// top code, at least.
HWY_INLINE std::uint8_t group_exponent(std::uint32_t largest_bits, std::uint32_t binades) {
  if (largest_bits == 0) return kAllZero;
  if (largest_bits > 0x7F7FFFFFu) return kNotFinite;
  const std::uint32_t top = ((largest_bits + 2 * kCodeUnit) >> 23) + 1;
  return static_cast<std::uint8_t>(top > binades ? top - binades : 1);
}
/// 0 for a group of zeros.
HWY_INLINE float offset_of(std::uint8_t exponent) {
  const std::uint32_t bits = static_cast<std::uint32_t>(exponent) << 23;
  float offset;
  std::memcpy(&offset, &bits, sizeof(offset));
  return offset;
}

/// Unsigned, alone in its group: a second moment. 8 bits: 16 binades of which the top two codes stay free, so that a
/// slowly growing value can round up across a power of two instead of freezing below it.
template <class D>
struct Q8Unsigned {
  static constexpr std::uint32_t kBinades = 16;
  /// A value above zero never becomes zero: it would divide what it scales by ε alone. kPositive: all are above zero.
  template <bool kPositive = false>
  HWY_INLINE static Bits<D> cut(Floats<D> v, Floats<D> offset, Bits<D> word) {
    const Bits<D> cut = LogLinear<D>::cut(v, offset, word);
    const Bits<D> raised = larger(cut, bits_of(offset) + kCodeUnit);
    return kPositive ? raised : select(bits_of(v) > 0u, raised, cut);
  }
  HWY_INLINE static Bits<D> encode(Floats<D> v, Floats<D> offset, Bits<D> word) {
    return LogLinear<D>::code(cut(v, offset, word), offset);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) { return LogLinear<D>::decode(code, offset); }
};

/// Sign and 7 bits: 8 binades, against the group's offset.
template <class D>
struct Q8Signed {
  static constexpr std::uint32_t kBinades = 8;
  static constexpr std::uint32_t kSign = kCodeUnit << 7;
  /// What lies below the code is to be ignored.
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> offset, Bits<D> word) {
    const Bits<D> cut = LogLinear<D>::cut(abs(m), offset, word);
    const Bits<D> limited = smaller(cut, bits_of(offset) + 127u * kCodeUnit);
    return or_masked(LogLinear<D>::code(limited, offset), bits_of(m).template down<31 - kCodeAt - 7>(), kSign);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) {
    const Floats<D> magnitude = LogLinear<D>::decode(code & (kSign - 1), offset);
    return floats_of(or_masked(bits_of(magnitude), code.template up<31 - kCodeAt - 7>(), 0x80000000u));
  }
};

/// Signed, in units of about the root of its companion second moment: a first moment. The unit is 2^h for h =
/// floor(e/2), e the exponent of v, by integer operations. |m|/√v is bounded, by 7.3 for betas (0.9, 0.999); codes
/// reach 16.
template <class D>
struct Q8Relative {
  static constexpr float kOffset = 0.0625f;
  /// kPositive: all of v are above zero. Where v is 0 so is m.
  template <bool kPositive = false>
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> v, Bits<D> word) {
    // 2^-h: its biased exponent is floor((381 + 1 - e)/2), with the biased e.
    const Bits<D> shrink = (Bits<D>::of((383u << 22) - 1) - bits_of(v).template down<1>()) & kExponent;
    const Bits<D> code = Q8Signed<D>::encode(m * floats_of(shrink), Floats<D>::of(kOffset), word);
    return kPositive ? code : select(bits_of(v) > 0u, code, Bits<D>::of(0u));
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> v) {
    // 2^h: its biased exponent is floor((e + 127)/2).
    const Bits<D> grow = (bits_of(v).template down<1>() + (127u << 22)) & kExponent;
    return Q8Signed<D>::decode(code, Floats<D>::of(kOffset)) * floats_of(grow);
  }

 private:
  static constexpr std::uint32_t kExponent = 0x7F800000u;
};
