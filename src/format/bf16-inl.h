// bfloat16: the upper half of a f32. All of it is integer arithmetic: hardware conversions flush denormals on some
// CPUs.
struct Bf16Code {
  template <class D>
  HWY_INLINE static Floats<D> decode(Bits<D> code) {
    return floats_of(code.template up<16>());
  }

  /// Nearest even; a finite number stays finite; every NaN is 0x7fc0.
  template <class D>
  HWY_INLINE static Bits<D> encode(Bits<D> bits) {
    // Half a unit of the last kept place, less one bit unless that place is odd.
    Bits<D> code = (bits + (bits.template down<16>() & 1u) + 0x7FFFu).template down<16>();
    const Bits<D> magnitude = bits & 0x7FFFFFFFu;
    const auto rare = magnitude > 0x7F7F7FFFu;  // would round to infinity, or is not finite
    if (HWY_UNLIKELY(any(bits, rare))) {
      const Bits<D> sign = (bits & 0x80000000u).template down<16>();
      code = select(rare, sign | 0x7F7Fu, code);
      code = select(magnitude > 0x7F7FFFFFu, sign | 0x7F80u, code);
      code = select(magnitude > 0x7F800000u, Bits<D>::of(0x7FC0u), code);
    }
    return code;
  }
};
using BF16 = Half<Bf16Code>;
