// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A step for Q8 states in one loop per group, for every instruction set: what the block pipeline does, with the same
// bits, but codes stay packed four to a word until a vector of them is needed, and nothing is computed for numbers that
// a group does not have. A group that does hold one of them is left to the pipeline.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/fused_q8.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include "format/bf16-inl.h"
#include "format/log_linear-inl.h"
#include "format/split-inl.h"
#include "kernel/quads-inl.h"
#include "lanes/lanes-inl.h"
#include "rule/adamw-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

using Wide = hn::ScalableTag<float>;
using F = Floats<Wide>;
using B = Bits<Wide>;
using Bytes = hn::Repartition<std::uint8_t, Wide>;
constexpr std::size_t kQuad = 4 * hn::MaxLanes(Wide());
static_assert(kGroup % kQuad == 0);

// Asks for the group that lies kAhead behind this one, in a stream of so many bytes an element.
template <std::size_t kBytes>
HWY_INLINE void ask_ahead(const void* stream, std::size_t first) {
  const char* const at = static_cast<const char*>(stream) + (first + kAhead) * kBytes;
  for (std::size_t k = 0; k < kGroup * kBytes; k += 64) __builtin_prefetch(at + k);
}

// The dither of a quad, one vector after the other.
class Words {
 public:
  HWY_INLINE explicit Words(const Rounding& rounding)
      : next_(words(Wide(), rounding, 0, 4)),
        neighbour_(B::of(rounding.step)),
        quad_(B::of((static_cast<std::uint32_t>(kQuad) - 3) * rounding.step)) {}
  /// The words of vector j; asked for in order, quad after quad.
  HWY_INLINE B next(int j) {
    const B now = next_;
    next_ = now + (j == 3 ? quad_ : neighbour_);
    return now;
  }

 private:
  B next_, neighbour_, quad_;
};

// Gradients. all_bits() of all of them is at least as large as the largest of them: enough to tell most groups from
// those that all_within() has to look at.
struct Bf16Grads {
  static constexpr std::size_t kBytes = 2;
  HWY_INLINE static B load(const void* from, std::size_t i, B (&to)[4]) {
    const auto pairs = pairs_at(from, i);
    pairs.split(to);
    return pairs.all_bits();
  }
  HWY_INLINE static bool all_bits_within(B all_bits, std::uint32_t bits) {
    return HalfPairs<Wide>{all_bits, all_bits}.all_within(bits >> 16);
  }
  HWY_INLINE static bool all_within(const void* from, std::size_t i, std::uint32_t bits) {
    return pairs_at(from, i).all_within(bits >> 16);
  }

 private:
  HWY_INLINE static HalfPairs<Wide> pairs_at(const void* from, std::size_t i) {
    return HalfPairs<Wide>::load(Wide(), static_cast<const std::uint16_t*>(from) + i);
  }
};
struct F32Grads {
  static constexpr std::size_t kBytes = 4;
  HWY_INLINE static B load(const void* from, std::size_t i, B (&to)[4]) {
    F values[4];
    hn::LoadInterleaved4(Wide(), static_cast<const float*>(from) + i, values[0].v, values[1].v, values[2].v,
                         values[3].v);
    for (int j = 0; j < 4; ++j) to[j] = bits_of(values[j]);
    return {hn::Or(hn::Or3(to[0].v, to[1].v, to[2].v), to[3].v)};
  }
  HWY_INLINE static bool all_bits_within(B all_bits, std::uint32_t bits) {
    return !any_above(all_bits & 0x7FFFFFFFu, bits);
  }
  HWY_INLINE static bool all_within(const void* from, std::size_t i, std::uint32_t bits) {
    B values[4];
    load(from, i, values);
    bool within = true;
    for (const B& value : values) within = within && all_bits_within(value, bits);
    return within;
  }
};

// Parameters of a group. They are stored when the whole group is known to be ordinary.
struct F32Params {
  HWY_INLINE F32Params() {}
  HWY_INLINE static void ask_ahead_of(const GroupStreams& s, std::size_t first) { ask_ahead<4>(s.param, first); }
  HWY_INLINE void load(const GroupStreams& s, std::size_t i, F (&to)[4]) {
    hn::LoadInterleaved4(Wide(), static_cast<const float*>(s.param) + i, to[0].v, to[1].v, to[2].v, to[3].v);
  }
  HWY_INLINE void keep(const F (&from)[4], std::size_t at, Words&) {
    hn::StoreInterleaved4(from[0].v, from[1].v, from[2].v, from[3].v, Wide(), values_ + at);
  }
  [[nodiscard]] HWY_INLINE bool ordinary() { return true; }
  HWY_INLINE void store(const GroupStreams& s, std::size_t i) const {
    std::memcpy(static_cast<float*>(s.param) + i, values_, sizeof(values_));
  }

 private:
  alignas(64) float values_[kGroup];
};

template <class Weight>
struct HalfParams {
  HWY_INLINE HalfParams() : all_bits_(B::of(0u)) {}
  HWY_INLINE static void ask_ahead_of(const GroupStreams& s, std::size_t first) {
    ask_ahead<2>(s.param, first);
    if constexpr (kLowBytes > 0) ask_ahead<kLowBytes>(s.low, first);
  }
  HWY_INLINE void load(const GroupStreams& s, std::size_t i, F (&to)[4]) {
    const Wide d;
    B high[4];
    HalfPairs<Wide>::load(d, static_cast<const std::uint16_t*>(s.param) + i).split(high);
    B low[4];
    if constexpr (kLowBytes == 1) load_bytes<8>(d, static_cast<const std::uint8_t*>(s.low) + i, low, kHalfByte);
    if constexpr (kLowBytes == 2) HalfPairs<Wide>::load(d, static_cast<const std::uint16_t*>(s.low) + i).split(low);
    for (int j = 0; j < 4; ++j) {
      if constexpr (kLowBytes == 0) to[j] = floats_of(high[j]);
      // A signed byte is an unsigned one less half its range.
      if constexpr (kLowBytes == 1) to[j] = floats_of(or_masked(high[j], low[j], 0xFF00u) - (kHalfByte << 8));
      if constexpr (kLowBytes == 2) to[j] = as_weight<Wide>(high[j], low[j]);
    }
  }
  HWY_INLINE void keep(const F (&from)[4], std::size_t at, Words& dither) {
    const Wide d;
    B rounded[4];
    B high[4];
    for (int j = 0; j < 4; ++j) {
      rounded[j] = Weight::rounded(from[j], dither.next(j));
      all_bits_ = all_bits_ | rounded[j];  // a NaN with a full payload has a high half of 0
      high[j] = Weight::high(rounded[j]);
    }
    const auto pairs = HalfPairs<Wide>::join(high);
    pairs.store(d, high_ + at);
    if constexpr (kLowBytes == 1) store_bytes<8>(d, high, low_ + at, kHalfByte);
    if constexpr (kLowBytes == 2) HalfPairs<Wide>::join_lower(rounded).store(d, low_ + at);
  }
  /// What a sum of halves could bring to infinity, and what is not finite, shows at least the largest finite bf16; or
  /// 0, where the user wrote it over other low bits.
  [[nodiscard]] HWY_INLINE bool ordinary() {
    constexpr std::uint32_t kOrdinary = (kRareWeight >> 16) - 1;
    bool within = !any_above(all_bits_ & 0x7FFFFFFFu, (kOrdinary << 16) + 0x7FFFu);
    all_bits_ = B::of(0u);
    if (HWY_UNLIKELY(!within)) {
      within = true;
      for (std::size_t at = 0; at < kGroup; at += kQuad) {
        const auto pairs = HalfPairs<Wide>::load(Wide(), high_ + at);
        if constexpr (kLowBytes == 0) {
          within = within && pairs.all_within(kOrdinary);
        } else {
          // Less 1, a zero is larger than any other.
          within =
              within && HalfPairs<Wide>{pairs.low - 0x00010001u, pairs.high - 0x00010001u}.all_within(kOrdinary - 1);
        }
      }
    }
    return within;
  }
  HWY_INLINE void store(const GroupStreams& s, std::size_t i) const {
    std::memcpy(static_cast<std::uint16_t*>(s.param) + i, high_, sizeof(high_));
    if constexpr (kLowBytes > 0) std::memcpy(static_cast<std::byte*>(s.low) + i * kLowBytes, low_, sizeof(low_));
  }

 private:
  static constexpr std::size_t kLowBytes = Weight::kLowBytes;
  static constexpr std::uint32_t kHalfByte = 0x80;
  alignas(64) std::uint16_t high_[kGroup];
  std::conditional_t<kLowBytes == 2, std::uint16_t, std::uint8_t> low_[kLowBytes == 0 ? 1 : kGroup];
  B all_bits_;
};

// The bits of the largest magnitude of a gradient that stays within ±bound when it is multiplied by factor.
inline std::uint32_t largest_ordinary(float factor, float bound) {
  std::uint32_t below = 0, above = 0x7F800000u;
  while (above - below > 1) {
    const std::uint32_t bits = below + (above - below) / 2;
    float magnitude;
    std::memcpy(&magnitude, &bits, sizeof(magnitude));
    (std::abs(magnitude * factor) <= bound ? below : above) = bits;
  }
  return below;
}

// The bits of 2^126: a second moment that no gradient brings above.
constexpr std::uint32_t kLargestCommon = 0x7E800000u;

// The new moments of a group, quad after quad as vectors hold them.
struct Moments {
  alignas(64) float m[kGroup];
  alignas(64) float v[kGroup];
};

template <class Grads>
HWY_INLINE bool within(const GroupStreams& s, std::size_t first, B all_bits, std::uint32_t bits) {
  if (HWY_LIKELY(Grads::all_bits_within(all_bits, bits))) return true;
  bool within = true;
  for (std::size_t at = 0; at < kGroup; at += kQuad) within = within && Grads::all_within(s.grad, first + at, bits);
  return within;
}

// The bits of a group's offset that the codes of v have above them, as they come among the bits of a code.
HWY_INLINE std::uint8_t offset_above(std::uint8_t exponent) {
  return static_cast<std::uint8_t>(exponent << (23 - kCodeAt));
}

// Encodes moments of groups in the order of their quads, all second moments above zero. What lies above the codes of v
// is taken off four of them at once, and four signs are put to the codes of m.
class Encoder {
 public:
  HWY_INLINE Encoder(const GroupStreams& s, std::size_t first)
      : m_words_(s.m_rounding.from(first)), v_words_(s.v_rounding.from(first)), all_(B::of(0u)) {}
  HWY_INLINE void encode(const float* m, const float* v, std::uint8_t exponent, std::uint8_t* m_to,
                         std::uint8_t* v_to) {
    const F offset = F::of(offset_of(exponent));
    B m_code[4];
    B v_code[4];
    for (int j = 0; j < 4; ++j) {
      v_code[j] = Q8Unsigned<Wide>::template rounded<true>(F::load(v), offset, v_words_.next(j));
      m_code[j] = Q8Relative<Wide>::rounded(F::load(m), LogLinear<Wide>::value(v_code[j], offset), m_words_.next(j));
      m += hn::Lanes(Wide());
      v += hn::Lanes(Wide());
    }
    // Codes are in bits 3 to 10 of halves: of elements 0 and 2 of a word's four, and of elements 1 and 3.
    const B v_even = upper_halves<Wide>(v_code[0], v_code[2]);
    const B v_odd = upper_halves<Wide>(v_code[1], v_code[3]);
    const B codes = joined_bytes<Wide>(halves_moved<-3, Wide>(v_even), halves_moved<5, Wide>(v_odd));
    hn::StoreU(hn::Sub(hn::BitCast(Bytes(), codes.v), hn::Set(Bytes(), offset_above(exponent))), Bytes(), v_to);

    const B m_even = upper_halves<Wide>(m_code[0], m_code[2]);
    const B m_odd = upper_halves<Wide>(m_code[1], m_code[3]);
    all_ = all_ | m_even | m_odd;
    const B magnitudes = joined_bytes<Wide>(halves_moved<-3, Wide>(m_even), halves_moved<5, Wide>(m_odd));
    const B signs = joined_bytes<Wide>(halves_moved<-8, Wide>(m_even), m_odd);
    const B signed_codes = chosen<Wide>(0x7F7F7F7Fu, magnitudes, signs);
    hn::StoreU(hn::BitCast(Bytes(), signed_codes.v), Bytes(), m_to);
  }
  /// Since the last time it was asked: did all codes of m fit, without a limit?
  [[nodiscard]] HWY_INLINE bool fitted() {
    constexpr std::uint32_t kBeyond = Q8Relative<Wide>::kBeyond >> 16;
    const bool fitted = !any_above(all_ & (kBeyond << 16 | kBeyond), 0u);
    all_ = B::of(0u);
    return fitted;
  }

 private:
  Words m_words_, v_words_;
  B all_;
};

// Encodes the moments of any group.
HWY_NOINLINE void encode_group(const Moments& from, std::uint8_t exponent, const GroupStreams& s, std::size_t first) {
  const Wide d;
  Words m_words(s.m_rounding.from(first));
  Words v_words(s.v_rounding.from(first));
  const F offset = F::of(offset_of(exponent));
  for (std::size_t at = 0; at < kGroup; at += kQuad) {
    B m_code[4];
    B v_code[4];
    for (int j = 0; j < 4; ++j) {
      const std::size_t k = at + static_cast<std::size_t>(j) * hn::Lanes(d);
      v_code[j] = Q8Unsigned<Wide>::rounded(F::load(from.v + k), offset, v_words.next(j));
      m_code[j] =
          Q8Relative<Wide>::encode(F::load(from.m + k), LogLinear<Wide>::value(v_code[j], offset), m_words.next(j));
    }
    store_bytes<kCodeAt>(d, v_code, s.v + first + at, offset_above(exponent));
    store_bytes<kCodeAt>(d, m_code, s.m + first + at);
  }
}

// A group is encoded while the next one is updated: only then is its exponent known, and there is other work to do
// while roots and quotients are computed.
template <class Rule, class Params, class Grads>
std::size_t step_groups(const StepScalars& packed, double factor, double bound, const GroupStreams& streams,
                        std::size_t n) {
  static_assert(Rule::kStates == 2);
  static_assert(!Rule::kDecaysGradient, "there is no parameter yet where the gradient is loaded");
  const Wide d;
  const GroupStreams s = streams;  // which no store can change
  typename Rule::template Scalars<float> scalars;
  std::memcpy(&scalars, packed.bytes, sizeof(scalars));
  const auto scale = static_cast<float>(factor);
  const std::uint32_t ordinary = largest_ordinary(scale, static_cast<float>(bound));

  Params params;
  Words words(s.param_rounding);
  Encoder encoder(s, std::size_t{0} - kGroup);
  Moments moments[2];
  std::memset(&moments[1], 0, sizeof(moments[1]));
  std::uint8_t exponent = kAllZero;
  bool pending = false;  // is the group before still to be encoded?
  std::size_t first = 0;
  for (; first + kGroup <= n; first += kGroup) {
    Moments& now = moments[first / kGroup % 2];
    const Moments& before = moments[first / kGroup % 2 ^ 1];
    alignas(64) std::uint8_t nowhere[2][kGroup];
    std::uint8_t* m_to = pending ? s.m + first - kGroup : nowhere[0];
    std::uint8_t* v_to = pending ? s.v + first - kGroup : nowhere[1];
    Params::ask_ahead_of(s, first);
    ask_ahead<Grads::kBytes>(s.grad, first);
    ask_ahead<1>(s.m, first);
    ask_ahead<1>(s.v, first);
    const F old_offset = F::of(offset_of(s.exponents[first / kGroup]));
    B grad_bits = B::of(0u);
    B most = B::of(0u);
    B least = B::of(~0u);
    auto codes = hn::Zero(Bytes());
    for (std::size_t at = 0; at < kGroup; at += kQuad) {
      B g[4];
      B m_code[4];
      B v_code[4];
      F grad[4];
      F states[4][2];
      grad_bits = grad_bits | Grads::load(s.grad, first + at, g);
      codes = hn::Max(codes, hn::BitCast(Bytes(), load_bytes<kCodeAt>(d, s.v + first + at, v_code).v));
      load_bytes<kCodeAt>(d, s.m + first + at, m_code);
      for (int j = 0; j < 4; ++j) {
        states[j][1] = Q8Unsigned<Wide>::decode(v_code[j], old_offset);
        states[j][0] = Q8Relative<Wide>::decode<true>(m_code[j], states[j][1]);
        grad[j] = floats_of(g[j]) * scale;
        Rule::average(scalars, grad[j], states[j]);
        const std::size_t k = at + static_cast<std::size_t>(j) * hn::Lanes(d);
        states[j][0].store(now.m + k);
        states[j][1].store(now.v + k);
        most = larger(most, bits_of(states[j][1]));
        least = smaller(least, bits_of(states[j][1]));
      }
      F change[4];
      for (int j = 0; j < 4; ++j) change[j] = Rule::change(scalars, grad[j], states[j]);
      encoder.encode(before.m + at, before.v + at, exponent, m_to + at, v_to + at);
      F p[4];
      params.load(s, first + at, p);
      for (int j = 0; j < 4; ++j) p[j] = Rule::moved(scalars, p[j], change[j]);
      params.keep(p, at, words);
    }
    const bool fitted = encoder.fitted();
    if (HWY_UNLIKELY(pending && !fitted)) encode_group(before, exponent, s, first - kGroup);
    pending = false;
    const bool marks = !hn::AllFalse(Bytes(), hn::Eq(codes, hn::Set(Bytes(), kNotFinite)));
    if (marks || !within<Grads>(s, first, grad_bits, ordinary) || !params.ordinary()) break;
    const std::uint32_t largest = hn::GetLane(hn::MaxOfLanes(B::DU(), most.v));
    if (largest > kLargestCommon) break;
    params.store(s, first);
    exponent = group_exponent(largest, Q8Unsigned<Wide>::kBinades);
    s.exponents[first / kGroup] = exponent;
    pending = hn::AllTrue(B::DU(), least > 0u);
    if (HWY_UNLIKELY(!pending)) encode_group(now, exponent, s, first);
  }
  if (pending) encode_group(moments[(first / kGroup + 1) % 2], exponent, s, first - kGroup);
  return first;
}

constexpr GroupKernels make_group_table() {
  GroupKernels table = {};
  table.target = HWY_TARGET;
#define ADAMANT_ENTRY(variant, type, P, weight, G, grad) \
  table.step[index_of(Variant::variant)][index_of(weight)][index_of(Format::grad)] = &step_groups<type, P, G>;
#define ADAMANT_ENTRIES(G, grad)                                                          \
  ADAMANT_ENTRY(adamw, AdamW<false>, F32Params, WeightFormat::plain, G, grad)             \
  ADAMANT_ENTRY(adamw, AdamW<false>, HalfParams<Split16>, WeightFormat::split16, G, grad) \
  ADAMANT_ENTRY(adamw, AdamW<false>, HalfParams<Split8>, WeightFormat::split8, G, grad)   \
  ADAMANT_ENTRY(adamw, AdamW<false>, HalfParams<DitheredBf16>, WeightFormat::dithered, G, grad)
  ADAMANT_ENTRIES(Bf16Grads, bf16)
  ADAMANT_ENTRIES(F32Grads, f32)
#undef ADAMANT_ENTRIES
#undef ADAMANT_ENTRY
  return table;
}

#else

// One lane has no quads.
constexpr GroupKernels make_group_table() { return {HWY_TARGET, {}}; }

#endif

const GroupKernels* group_table() {
  static constexpr GroupKernels kTable = make_group_table();
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(group_table);
const GroupKernels& group_kernels() { return *HWY_DYNAMIC_DISPATCH(group_table)(); }

}  // namespace adamant
#endif
