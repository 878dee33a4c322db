// f32 and f64 as they are.
template <class Element>
struct Plain {
  using Stored = Element;
  template <class D>
  HWY_INLINE static Floats<D> load(D, const Stored* from) {
    return Floats<D>::load(from);
  }
  template <class D>
  HWY_INLINE static void store(D, Floats<D> value, Stored* to) {
    value.store(to);
  }
};
using F32 = Plain<float>;
using F64 = Plain<double>;
