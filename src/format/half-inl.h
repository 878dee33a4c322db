// A 16-bit format: a Code says how 16 bits become the bits of a f32 and back.
template <class Code>
struct Half {
  using Stored = std::uint16_t;

  template <class D>
  HWY_INLINE static Floats<D> load(D, const Stored* from) {
    const hn::Rebind<std::uint16_t, D> narrow;
    return Code::decode(Bits<D>{hn::PromoteTo(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))});
  }

  template <class D>
  HWY_INLINE static void store(D, Floats<D> value, Stored* to) {
    const hn::Rebind<std::uint16_t, D> narrow;
    hn::StoreU(hn::TruncateTo(narrow, Code::encode(bits_of(value)).v), narrow, to);
  }
};
