// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The code of Q8. The bits of a float, read as an integer, are a logarithm that is linear inside each binade. With an
// offset a, a power of two, bits(x + a) - bits(a) is linear in x below a and logarithmic above, and 0 for 0. A code
// keeps its upper bits: four below the binary point of a binade, 16 codes a binade.
//
// A code is handled in place: its 8 bits are bits 19 to 26 of a word. Those around it are ignored.
#if defined(ADAMANT_FORMAT_LOG_LINEAR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_LOG_LINEAR_INL_H_
#undef ADAMANT_FORMAT_LOG_LINEAR_INL_H_
#else
#define ADAMANT_FORMAT_LOG_LINEAR_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "format/group.h"
#include "format/rounding.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

inline constexpr int kCodeAt = 19;
inline constexpr std::uint32_t kCodeUnit = 1u << kCodeAt;

template <class D>
struct LogLinear {
  using B = Bits<D>;
  using F = Floats<D>;

  /// The most that a code and what lies below it may add up to: in a group close to the largest f32, what is finite.
  HWY_INLINE static B most(F offset, std::uint32_t code) {
    return smaller(bits_of(offset) + (code + kCodeUnit - 1), B::of(0x7F7FFFFFu));
  }
  /// bits(x + a) with a code, rounded as `words` say, above what lies below it. Grows with |x|. The offset has x's
  /// sign.
  HWY_INLINE static B rounded(F x, F offset, B words) {
    return bits_of(x + offset) + words.template down<32 - kCodeAt>();
  }
  /// Of such bits with zeros below the code. Exact.
  HWY_INLINE static F value(B bits, F offset) { return floats_of(bits) - offset; }
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

/// The exponent byte of a group of finite numbers: the biased exponent of the least offset under which the largest
/// magnitude lies at the last code but one, or below: it may be rounded up, and the last code stays free.
HWY_INLINE std::uint8_t group_exponent(std::uint32_t largest_bits, std::uint32_t binades) {
  if (largest_bits == 0) return kAllZero;
  // What the offset adds to the bits of a number in the top binade.
  const std::uint32_t offset_adds = 1u << (24 - binades);
  const std::uint32_t top = ((largest_bits + offset_adds + 2 * kCodeUnit - 1) >> 23) + 1;
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
  /// bits(a) plus the code in place, zeros below. A value above zero never becomes zero: it would divide what it scales
  /// by ε alone. kCommon: all are above zero, and none is close to the largest f32.
  template <bool kCommon = false>
  HWY_INLINE static Bits<D> rounded(Floats<D> v, Floats<D> offset, Bits<D> word) {
    const Bits<D> bits = LogLinear<D>::rounded(v, offset, word) & ~(kCodeUnit - 1);
    const Bits<D> raised = larger(bits, bits_of(offset) + kCodeUnit);
    if constexpr (kCommon) return raised;
    const Bits<D> limit = LogLinear<D>::most(offset, 0xFFu * kCodeUnit) & ~(kCodeUnit - 1);
    return select(bits_of(v) > 0u, smaller(raised, limit), bits);
  }
  HWY_INLINE static Bits<D> encode(Floats<D> v, Floats<D> offset, Bits<D> word) {
    return rounded(v, offset, word) - bits_of(offset);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) {
    return LogLinear<D>::value((code & 0xFFu * kCodeUnit) + bits_of(offset), offset);
  }
};

/// Sign and 7 bits: 8 binades, against the group's offset.
template <class D>
struct Q8Signed {
  static constexpr std::uint32_t kBinades = 8;
  static constexpr std::uint32_t kMost = kCodeUnit * 0x7Fu;
  static constexpr std::uint32_t kSign = kCodeUnit << 7;
  static constexpr int kSignDown = 31 - kCodeAt - 7;

  /// bits(a) plus the magnitude's code in place.
  HWY_INLINE static Bits<D> rounded(Floats<D> m, Floats<D> offset, Bits<D> word) {
    return smaller(LogLinear<D>::rounded(abs(m), offset, word), LogLinear<D>::most(offset, kMost));
  }
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> offset, Bits<D> word) {
    return or_masked(rounded(m, offset, word) - bits_of(offset), bits_of(m).template down<kSignDown>(), kSign);
  }
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> offset) {
    return with_sign(LogLinear<D>::value((code & kMost) + bits_of(offset), offset), code);
  }
  HWY_INLINE static Floats<D> with_sign(Floats<D> magnitude, Bits<D> code) {
    return floats_of(or_masked(bits_of(magnitude), code.template up<kSignDown>(), 0x80000000u));
  }
};

/// Signed, in units of about the root of its companion second moment: a first moment. The unit is 2^h for h =
/// floor(e/2), e the exponent of v, by integer operations. |m|/√v is bounded, by 7.3 for betas (0.9, 0.999); codes
/// reach 16.
template <class D>
struct Q8Relative {
  // The offset is 1/16 of a unit. It is brought to 2, whose bits are zero where the code stands: added, or subtracted,
  // it leaves the code alone.
  static constexpr float kOffset = 2.0f;
  static constexpr std::uint32_t kOffsetBits = 0x40000000u;
  static constexpr std::uint32_t kScale = 5;  // 2 = 1/16 · 2^5

  /// 0 where v is 0 or not finite.
  HWY_INLINE static Bits<D> encode(Floats<D> m, Floats<D> v, Bits<D> word) {
    const Floats<D> x = m * shrink(v);
    const Bits<D> code = or_masked(Q8Signed<D>::rounded(x, Floats<D>::of(kOffset), word),
                                   bits_of(m).template down<Q8Signed<D>::kSignDown>(), Q8Signed<D>::kSign);
    return select(bits_of(v) - 1u > 0x7F7FFFFEu, Bits<D>::of(0u), code);
  }
  /// For v finite and above zero. The sign stays where a float has it; the magnitude's code is in place. A bit of
  /// kBeyond is set where the code would have to be limited.
  HWY_INLINE static Bits<D> rounded(Floats<D> m, Floats<D> v, Bits<D> word) {
    const Floats<D> offset = floats_of(or_masked(Bits<D>::of(kOffsetBits), bits_of(m), 0x80000000u));
    return LogLinear<D>::rounded(m * shrink(v), offset, word);
  }
  static constexpr std::uint32_t kBeyond = 0x3C000000u;
  /// Not finite where v is not. kFinite: all of v are.
  template <bool kFinite = false>
  HWY_INLINE static Floats<D> decode(Bits<D> code, Floats<D> v) {
    // 2^h: its biased exponent is floor((e + 127)/2).
    const Bits<D> grow = (bits_of(v).template down<1>() + ((127u - 2 * kScale) << 22)) & kExponent;
    const Bits<D> magnitude = or_masked(Bits<D>::of(kOffsetBits), code, Q8Signed<D>::kMost);
    const Floats<D> x = LogLinear<D>::value(magnitude, Floats<D>::of(kOffset));
    const Floats<D> m = Q8Signed<D>::with_sign(x, code) * floats_of(grow);
    if constexpr (kFinite) return m;
    return floats_of(select(bits_of(v) > 0x7F7FFFFFu, bits_of(v), bits_of(m)));
  }

 private:
  static constexpr std::uint32_t kExponent = 0x7F800000u;
  /// 2^-h: its biased exponent is floor((382 - e)/2), with the biased e.
  HWY_INLINE static Floats<D> shrink(Floats<D> v) {
    const Bits<D> less = bits_of(v).template down<1>();
    return floats_of((Bits<D>::of(((383u + 2 * kScale) << 22) - 1) - less) & kExponent);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
