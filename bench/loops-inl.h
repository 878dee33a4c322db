// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The loops for one vector width. Included once per instruction set by loops_*.cc, which define the vector type `F` of
// floats with its square root `root` inside a namespace of their own, and are compiled for that instruction set.
// No function of the standard library is called here: the linker could pick this copy for other CPUs.

constexpr std::size_t kLanes = sizeof(F) / sizeof(float);
using B [[gnu::vector_size(sizeof(F))]] = std::uint8_t;

template <class V, class T>
inline V load(const T* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof(V));
  return v;
}
template <class V, class T>
inline void store(T* to, V v) {
  __builtin_memcpy(to, &v, sizeof(V));
}

// The ceiling: kGroup elements of each stream at a time, so that each is a run of whole vectors.
constexpr std::size_t kGroup = 64;

template <std::size_t kElement>
inline void rewrite(void* stream, std::size_t i, B nothing) {
  auto* at = static_cast<std::uint8_t*>(stream) + i * kElement;
  for (std::size_t k = 0; k < kGroup * kElement; k += sizeof(B)) store(at + k, load<B>(at + k) ^ nothing);
}
template <std::size_t kElement>
inline B read(const void* stream, std::size_t i, B sum) {
  const auto* at = static_cast<const std::uint8_t*>(stream) + i * kElement;
  for (std::size_t k = 0; k < kGroup * kElement; k += sizeof(B)) sum |= load<B>(at + k);
  return sum;
}
inline void rewrite_bytes(void* stream, std::size_t first, std::size_t n, std::uint8_t nothing) {
  auto* bytes = static_cast<std::uint8_t*>(stream);
  for (std::size_t i = first; i < first + n; ++i) bytes[i] ^= nothing;
}

template <std::size_t kParam, std::size_t kLow, std::size_t kGrad, std::size_t kState, std::size_t kStates>
std::uint64_t ceiling(const Streams& s, std::size_t first, std::size_t n, std::uint8_t nothing) {
  const B none = B{} | nothing;
  B sum = {};
  std::size_t i = first;
  for (; i + kGroup <= first + n; i += kGroup) {
    sum = read<kGrad>(s.grad, i, sum);
    rewrite<kParam>(s.param, i, none);
    if constexpr (kLow > 0) rewrite<kLow>(s.low, i, none);
    for (std::size_t k = 0; k < kStates; ++k) rewrite<kState>(s.states[k], i, none);
  }
  const std::size_t rest = first + n - i;
  for (std::size_t k = 0; k < rest * kGrad; ++k) sum[0] |= static_cast<const std::uint8_t*>(s.grad)[i * kGrad + k];
  rewrite_bytes(s.param, i * kParam, rest * kParam, nothing);
  rewrite_bytes(s.low, i * kLow, rest * kLow, nothing);
  for (std::size_t k = 0; k < kStates; ++k) rewrite_bytes(s.states[k], i * kState, rest * kState, nothing);
  return load<std::uint64_t>(&sum);
}

template <std::size_t kGrad>
std::uint64_t look(const Streams& s, std::size_t first, std::size_t n, std::uint8_t nothing) {
  B sums[4] = {};
  std::size_t i = first;
  for (; i + 4 * kGroup <= first + n; i += 4 * kGroup) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] = read<kGrad>(s.grad, i + k * kGroup, sums[k]);
  }
  for (std::size_t k = i * kGrad; k < (first + n) * kGrad; ++k)
    sums[0][0] |= static_cast<const std::uint8_t*>(s.grad)[k];
  sums[0] |= sums[1] | sums[2] | sums[3] | nothing;
  return load<std::uint64_t>(&sums[0]);
}

template <std::size_t kParam, std::size_t kLow, std::size_t kGrad, std::size_t kState>
Loops::Ceiling with_states(std::size_t states) {
  constexpr Loops::Ceiling kBy[] = {&ceiling<kParam, kLow, kGrad, kState, 0>, &ceiling<kParam, kLow, kGrad, kState, 1>,
                                    &ceiling<kParam, kLow, kGrad, kState, 2>, &ceiling<kParam, kLow, kGrad, kState, 3>};
  return states <= kMaxStates ? kBy[states] : nullptr;
}
template <std::size_t kParam, std::size_t kLow, std::size_t kGrad>
Loops::Ceiling with_state_bytes(const Streams& s) {
  return s.state_bytes == 1   ? with_states<kParam, kLow, kGrad, 1>(s.state_count)
         : s.state_bytes == 2 ? with_states<kParam, kLow, kGrad, 2>(s.state_count)
         : s.state_bytes == 4 ? with_states<kParam, kLow, kGrad, 4>(s.state_count)
                              : nullptr;
}
template <std::size_t kParam, std::size_t kLow>
Loops::Ceiling with_grad_bytes(const Streams& s) {
  return s.grad_bytes == 2   ? with_state_bytes<kParam, kLow, 2>(s)
         : s.grad_bytes == 4 ? with_state_bytes<kParam, kLow, 4>(s)
                             : nullptr;
}
Loops::Ceiling ceiling_of(const Streams& s) {
  if (s.param_bytes == 8 && s.grad_bytes == 8 && s.state_bytes == 8) return with_states<8, 0, 8, 8>(s.state_count);
  if (s.param_bytes == 4 && s.low_bytes == 0) return with_grad_bytes<4, 0>(s);
  if (s.param_bytes == 2 && s.low_bytes == 0) return with_grad_bytes<2, 0>(s);
  if (s.param_bytes == 2 && s.low_bytes == 1) return with_grad_bytes<2, 1>(s);
  if (s.param_bytes == 2 && s.low_bytes == 2) return with_grad_bytes<2, 2>(s);
  return nullptr;
}
Loops::Ceiling look_of(const Streams& s) {
  return s.grad_bytes == 2 ? &look<2> : s.grad_bytes == 4 ? &look<4> : s.grad_bytes == 8 ? &look<8> : nullptr;
}

// AdamW by hand.
inline void adamw_vector(const AdamwScalars& k, const AdamwMemory& a, std::size_t i) {
  const F g = load<F>(a.g + i);
  const F m = k.c1 * g + k.b1 * load<F>(a.m + i);
  const F v = (k.c2 * g) * g + k.b2 * load<F>(a.v + i);
  const F d = root(v) * k.scale + k.eps;
  store(a.m + i, m);
  store(a.v + i, v);
  store(a.p + i, k.keep * load<F>(a.p + i) - (k.step * m) / d);
}

void plain(const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
  std::size_t i = first;
  for (; i + 4 * kLanes <= first + n; i += 4 * kLanes) {
    adamw_vector(k, a, i);
    adamw_vector(k, a, i + kLanes);
    adamw_vector(k, a, i + 2 * kLanes);
    adamw_vector(k, a, i + 3 * kLanes);
  }
  for (; i < first + n; ++i) {
    a.m[i] = k.c1 * a.g[i] + k.b1 * a.m[i];
    a.v[i] = (k.c2 * a.g[i]) * a.g[i] + k.b2 * a.v[i];
    a.p[i] = k.keep * a.p[i] - (k.step * a.m[i]) / (__builtin_sqrtf(a.v[i]) * k.scale + k.eps);
  }
}

// One pass of the eight: calls each(i) for every element. The compiler vectorises it for this instruction set.
template <class Each>
inline void pass(std::size_t first, std::size_t n, const Each& each) {
  for (std::size_t i = first; i < first + n; ++i) each(i);
}

using I [[gnu::vector_size(sizeof(F))]] = std::int32_t;
inline F magnitude(F x) { return reinterpret_cast<F>(reinterpret_cast<I>(x) & 0x7FFFFFFF); }
inline float magnitude(float x) { return __builtin_fabsf(x); }

// A reduction: each(sums, x, y) joins the next vectors, or numbers, to kSums sums; join takes what they come to. Four
// chains, so that their latency is hidden; f32 within kRun elements.
template <std::size_t kSums, class Each, class Join>
inline void reduce(const float* x, const float* y, std::size_t first, std::size_t n, float start, const Each& each,
                   const Join& join) {
  constexpr std::size_t kChains = 4, kRun = 4096;
  const std::size_t end = first + n;
  for (std::size_t i = first; i < end;) {
    F chains[kChains][kSums];
    float rest[kSums];
    for (std::size_t j = 0; j < kSums; ++j) {
      rest[j] = start;
      for (std::size_t k = 0; k < kChains; ++k) chains[k][j] = F{} + start;
    }
    const std::size_t stop = end - i < kRun ? end : i + kRun;
    for (; i + kChains * kLanes <= stop; i += kChains * kLanes) {
      for (std::size_t k = 0; k < kChains; ++k) {
        each(chains[k], load<F>(x + i + k * kLanes), load<F>(y + i + k * kLanes));
      }
    }
    for (; i < stop; ++i) each(rest, x[i], y[i]);
    for (std::size_t j = 0; j < kSums; ++j) {
      join(j, rest[j]);
      for (std::size_t k = 0; k < kChains; ++k) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) join(j, chains[k][j][lane]);
      }
    }
  }
}

Seen norm(const float* x, const float*, std::size_t first, std::size_t n) {
  double sum = 0.0;
  reduce<1>(
      x, x, first, n, 0.0F, [](auto& sums, auto a, auto) { sums[0] += a * a; },
      [&](std::size_t, float part) { sum += static_cast<double>(part); });
  return {.xx = sum};
}
Seen cosine(const float* x, const float* y, std::size_t first, std::size_t n) {
  double total[3] = {};
  reduce<3>(
      x, y, first, n, 0.0F,
      [](auto& sums, auto a, auto b) {
        sums[0] += a * a;
        sums[1] += a * b;
        sums[2] += b * b;
      },
      [&](std::size_t j, float part) { total[j] += static_cast<double>(part); });
  return {.xx = total[0], .xy = total[1], .yy = total[2]};
}
Seen average(const float* x, const float*, std::size_t first, std::size_t n) {
  double sum = 0.0;
  reduce<1>(
      x, x, first, n, 0.0F, [](auto& sums, auto a, auto) { sums[0] += a; },
      [&](std::size_t, float part) { sum += static_cast<double>(part); });
  return {.sum = sum};
}
Seen least(const float* x, const float*, std::size_t first, std::size_t n) {
  float found = __builtin_inff();
  reduce<1>(
      x, x, first, n, found,
      [](auto& sums, auto a, auto) {
        const auto size = magnitude(a);
        sums[0] = size < sums[0] ? size : sums[0];
      },
      [&](std::size_t, float part) { found = part < found ? part : found; });
  return {.least = static_cast<double>(found)};
}
Seen largest(const float* x, const float*, std::size_t first, std::size_t n) {
  float found = 0.0F;
  reduce<1>(
      x, x, first, n, found,
      [](auto& sums, auto a, auto) {
        const auto size = magnitude(a);
        sums[0] = size > sums[0] ? size : sums[0];
      },
      [&](std::size_t, float part) { found = part > found ? part : found; });
  return {.largest = static_cast<double>(found)};
}

constexpr Loops kLoops = {
    kName,
    &ceiling_of,
    &look_of,
    &plain,
    {
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [p = a.p, keep = k.keep](std::size_t i) { p[i] *= keep; });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [m = a.m, g = a.g, c1 = k.c1](std::size_t i) { m[i] += c1 * (g[i] - m[i]); });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [v = a.v, b2 = k.b2](std::size_t i) { v[i] *= b2; });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [v = a.v, g = a.g, c2 = k.c2](std::size_t i) { v[i] += c2 * g[i] * g[i]; });
        },
        [](const AdamwScalars&, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [d = a.denominator, v = a.v](std::size_t i) { d[i] = __builtin_sqrtf(v[i]); });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [d = a.denominator, scale = k.scale](std::size_t i) { d[i] *= scale; });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n, [d = a.denominator, eps = k.eps](std::size_t i) { d[i] += eps; });
        },
        [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
          pass(first, n,
               [p = a.p, m = a.m, d = a.denominator, step = k.step](std::size_t i) { p[i] -= step * m[i] / d[i]; });
        },
    },
    [](const AdamwScalars& k, const AdamwMemory& a, std::size_t first, std::size_t n) {
      pass(first, n, [k, a](std::size_t i) {
        a.denominator[i] = k.step * a.m[i] / (__builtin_sqrtf(a.v[i]) * k.scale + k.eps) + (1.0F - k.keep) * a.p[i];
      });
    },
    &norm,
    &cosine,
    &average,
    &least,
    &largest};
