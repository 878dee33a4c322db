// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A small transformer (Vaswani et al. 2017) as GPT-2 has it (Radford et al. 2019): embeddings of words and of positions
// are added; each block adds causal attention of several heads, then a layer of GELU, each after a layer norm; after a
// last norm, a matrix of its own gives the logits.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <future>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "lab/linear.h"
#include "lab/matrix.h"
#include "lab/softmax.h"

namespace adamant::lab {

struct AttentionSize {
  Eigen::Index vocabulary = 0;
  Eigen::Index context = 16;  ///< words of a sequence
  Eigen::Index width = 32;    ///< numbers for each word; a multiple of heads
  Eigen::Index layers = 2;
  Eigen::Index heads = 4;
};

/// y = gain (x - mean) / sqrt(variance + 1e-5) + bias, with mean and variance of each row (Ba et al. 2016).
template <class Real>
class LayerNorm {
 public:
  LayerNorm(const std::string& name, Eigen::Index width)
      : gain_(name + ".weight", 1, width), bias_(name + ".bias", 1, width) {}

  void add_weights(std::vector<Weight<Real>*>& list) { list.insert(list.end(), {&gain_, &bias_}); }
  void start() {
    gain_.value.setOnes();
    bias_.value.setZero();
  }
  void forward(const Matrix<Real>& x, Matrix<Real>& y) {
    centered_ = x.colwise() - x.rowwise().mean();
    inverse_ = (centered_.rowwise().squaredNorm().array() / static_cast<Real>(x.cols()) + Real(1e-5)).rsqrt();
    normal_ = centered_.array().colwise() * inverse_.col(0).array();
    y = (normal_.array().rowwise() * gain_.value.row(0).array()).rowwise() + bias_.value.row(0).array();
  }
  /// Of the last forward. Fills the gradients of the weights, and adds that of x to dx.
  void backward(const Matrix<Real>& dy, Matrix<Real>& dx) {
    gain_.grad = (dy.array() * normal_.array()).colwise().sum();
    bias_.grad = dy.colwise().sum();
    dnormal_ = dy.array().rowwise() * gain_.value.row(0).array();
    const Matrix<Real> mean = dnormal_.rowwise().mean();
    const Matrix<Real> along = (dnormal_.array() * normal_.array()).rowwise().mean();
    dnormal_.colwise() -= mean.col(0);
    dnormal_.array() -= normal_.array().colwise() * along.col(0).array();
    dx.array() += dnormal_.array().colwise() * inverse_.col(0).array();
  }

 private:
  Weight<Real> gain_, bias_;
  Matrix<Real> centered_, normal_, dnormal_, inverse_;
};

/// Each word looks at itself and the words before it in its sequence, with several heads, each in its own columns.
template <class Real>
class CausalAttention {
 public:
  CausalAttention(const std::string& name, const AttentionSize& size)
      : length_(size.context),
        width_(size.width),
        heads_(size.heads),
        in_(name + ".qkv", size.width, 3 * size.width),
        out_(name + ".projection", size.width, size.width) {}

  void add_weights(std::vector<Weight<Real>*>& list) {
    in_.add_weights(list);
    out_.add_weights(list);
  }
  void start(const Random& random_in, const Random& random_out) {
    in_.start_uniform(random_in);
    out_.start_uniform(random_out);
  }
  void forward(const Matrix<Real>& x, Matrix<Real>& y) {
    in_.forward(x, qkv_);
    mixed_.resize(x.rows(), width_);
    shares_.resize(x.rows() * heads_, length_);
    for_each_head(x.rows(), [this](Eigen::Index row, Eigen::Index column, Eigen::Index tile) {
      auto shares = shares_.middleRows(tile, length_);
      transposed_ = part(qkv_, row, width_ + column).transpose();
      shares.noalias() = part(qkv_, row, column).lazyProduct(transposed_);
      shares *= scale();
      for (Eigen::Index i = 0; i < length_; ++i) {
        auto seen = shares.row(i).head(i + 1);
        seen = (seen.array() - seen.maxCoeff()).exp();
        seen /= seen.sum();
        shares.row(i).tail(length_ - i - 1).setZero();
      }
      part(mixed_, row, column).noalias() = shares.lazyProduct(part(qkv_, row, 2 * width_ + column));
    });
    out_.forward(mixed_, y);
  }
  /// `x` as in forward. Fills the gradients of the weights, and dx.
  void backward(const Matrix<Real>& x, const Matrix<Real>& dy, Matrix<Real>& dx) {
    out_.backward(mixed_, dy, dmixed_);
    dqkv_.resize(qkv_.rows(), qkv_.cols());
    for_each_head(x.rows(), [this](Eigen::Index row, Eigen::Index column, Eigen::Index tile) {
      const auto shares = shares_.middleRows(tile, length_);
      const auto dmixed = part(dmixed_, row, column);
      part(dqkv_, row, 2 * width_ + column).noalias() = shares.transpose().lazyProduct(dmixed);
      transposed_ = part(qkv_, row, 2 * width_ + column).transpose();
      dshares_.noalias() = dmixed.lazyProduct(transposed_);
      dshares_.array() *= shares.array();
      sums_ = dshares_.rowwise().sum();
      dshares_.array() -= shares.array().colwise() * sums_.col(0).array();
      dshares_ *= scale();
      part(dqkv_, row, column).noalias() = dshares_.lazyProduct(part(qkv_, row, width_ + column));
      part(dqkv_, row, width_ + column).noalias() = dshares_.transpose().lazyProduct(part(qkv_, row, column));
    });
    in_.backward(x, dqkv_, dx);
  }

 private:
  [[nodiscard]] Eigen::Index head_width() const { return width_ / heads_; }
  [[nodiscard]] Real scale() const { return Real(1) / std::sqrt(static_cast<Real>(head_width())); }
  // The columns of one head, for one sequence.
  auto part(Matrix<Real>& of, Eigen::Index row, Eigen::Index column) const {
    return of.block(row, column, length_, head_width());
  }
  template <class Body>
  void for_each_head(Eigen::Index rows, const Body& body) const {
    Eigen::Index tile = 0;  // first row in shares_
    for (Eigen::Index row = 0; row < rows; row += length_) {
      for (Eigen::Index column = 0; column < width_; column += head_width(), tile += length_) body(row, column, tile);
    }
  }

  Eigen::Index length_, width_, heads_;
  Linear<Real> in_, out_;
  Matrix<Real> qkv_, dqkv_, mixed_, dmixed_, shares_, dshares_, transposed_, sums_;
};

/// x -> gelu(x W + b) V + c with a hidden layer four times as wide, and the GELU of GPT-2: x/2 (1 + tanh(√(2/π) (x +
/// 0.044715 x³))).
template <class Real>
class FeedForward {
 public:
  FeedForward(const std::string& name, Eigen::Index width)
      : up_(name + ".up", width, 4 * width), down_(name + ".down", 4 * width, width) {}

  void add_weights(std::vector<Weight<Real>*>& list) {
    up_.add_weights(list);
    down_.add_weights(list);
  }
  void start(const Random& random_up, const Random& random_down) {
    up_.start_uniform(random_up);
    down_.start_uniform(random_down);
  }
  void forward(const Matrix<Real>& x, Matrix<Real>& y) {
    up_.forward(x, hidden_);
    tanh_ = (kSlope * hidden_.array() * (Real(1) + kCube * hidden_.array().square())).tanh();
    active_ = Real(0.5) * hidden_.array() * (Real(1) + tanh_.array());
    down_.forward(active_, y);
  }
  /// `x` as in forward. Fills the gradients of the weights, and dx.
  void backward(const Matrix<Real>& x, const Matrix<Real>& dy, Matrix<Real>& dx) {
    down_.backward(active_, dy, dactive_);
    dactive_.array() *=
        Real(0.5) * ((Real(1) + tanh_.array()) + hidden_.array() * (Real(1) - tanh_.array().square()) * kSlope *
                                                     (Real(1) + Real(3) * kCube * hidden_.array().square()));
    up_.backward(x, dactive_, dx);
  }

 private:
  static constexpr Real kCube = Real(0.044715);
  static constexpr Real kSlope = Real(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);

  Linear<Real> up_, down_;
  Matrix<Real> hidden_, tanh_, active_, dactive_;
};

/// One layer: x + attention(norm(x)), then the same with the hidden layer.
template <class Real>
class TransformerBlock {
 public:
  TransformerBlock(const std::string& name, const AttentionSize& size)
      : norm1_(name + ".norm1", size.width),
        attention_(name + ".attention", size),
        norm2_(name + ".norm2", size.width),
        hidden_(name + ".hidden", size.width) {}

  void add_weights(std::vector<Weight<Real>*>& list) {
    norm1_.add_weights(list);
    attention_.add_weights(list);
    norm2_.add_weights(list);
    hidden_.add_weights(list);
  }
  /// Takes four streams of random numbers from `stream` on.
  void start(std::uint64_t seed, std::uint64_t stream) {
    norm1_.start();
    attention_.start(Random(seed, stream), Random(seed, stream + 1));
    norm2_.start();
    hidden_.start(Random(seed, stream + 2), Random(seed, stream + 3));
  }
  void forward(Matrix<Real>& x) {
    norm1_.forward(x, normed1_);
    attention_.forward(normed1_, added_);
    x += added_;
    norm2_.forward(x, normed2_);
    hidden_.forward(normed2_, added_);
    x += added_;
  }
  /// From the gradient of what forward made of x to that of x, in place.
  void backward(Matrix<Real>& dx) {
    hidden_.backward(normed2_, dx, added_);
    norm2_.backward(added_, dx);
    attention_.backward(normed1_, dx, added_);
    norm1_.backward(added_, dx);
  }

 private:
  LayerNorm<Real> norm1_;
  CausalAttention<Real> attention_;
  LayerNorm<Real> norm2_;
  FeedForward<Real> hidden_;
  Matrix<Real> normed1_, normed2_, added_;
};

template <class Real>
class AttentionModel {
 public:
  explicit AttentionModel(const AttentionSize& size)
      : size_(size),
        embedding_("embedding.weight", size.vocabulary, size.width),
        position_("position.weight", size.context, size.width),
        norm_("norm", size.width),
        output_("output.weight", size.width, size.vocabulary) {
    for (Eigen::Index i = 0; i < size.layers; ++i) blocks_.emplace_back("block" + std::to_string(i), size);
  }

  /// The embedding is the first.
  [[nodiscard]] std::vector<Weight<Real>*> weights() {
    std::vector<Weight<Real>*> list = {&embedding_, &position_};
    for (TransformerBlock<Real>& block : blocks_) block.add_weights(list);
    norm_.add_weights(list);
    list.push_back(&output_);
    return list;
  }

  /// As the modules of torch.nn start by default: Embedding normal with deviation 1, Linear uniform within 1/√inputs.
  void start(std::uint64_t seed) {
    std::uint64_t stream = kWeightStream;
    embedding_.set_random(1.0, Random(seed, stream++));
    position_.set_random(1.0, Random(seed, stream++));
    for (TransformerBlock<Real>& block : blocks_) {
      block.start(seed, stream);
      stream += 4;
    }
    norm_.start();
    output_.set_uniform(1.0 / std::sqrt(static_cast<double>(size_.width)), Random(seed, stream));
  }

  /// Mean cross-entropy of the next words. `words` are sequences of `context` words, one after the other; `next` has
  /// the word after each.
  double loss(std::span<const int> words, std::span<const int> next) {
    forward(words);
    return output_layer(next, false);
  }

  /// What the output layer is given, a row for each word of the last call.
  [[nodiscard]] const Matrix<Real>& last_hidden() const { return normed_; }

  /// As loss; fills every gradient but that of the embedding, which row_grads() holds.
  double loss_and_row_grads(std::span<const int> words, std::span<const int> next) {
    forward(words);
    const double loss = output_layer(next, true);
    dx_.setZero(x_.rows(), x_.cols());
    norm_.backward(dnormed_, dx_);
    for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) block->backward(dx_);
    position_.grad.setZero();
    for (Eigen::Index i = 0; i < dx_.rows(); i += size_.context) {
      position_.grad += dx_.middleRows(i, size_.context);
    }
    return loss;
  }

  /// Gradient of the embedding's rows `words`, in that order, row after row; a word that repeats has several.
  [[nodiscard]] const Matrix<Real>& row_grads() const { return dx_; }

  /// As loss_and_row_grads, and fills the embedding's gradient: zero but in the rows of `words`.
  double loss_and_grad(std::span<const int> words, std::span<const int> next) {
    const double loss = loss_and_row_grads(words, next);
    embedding_.grad.setZero();
    for (std::size_t i = 0; i < words.size(); ++i) {
      embedding_.grad.row(words[i]) += dx_.row(static_cast<Eigen::Index>(i));
    }
    return loss;
  }

 private:
  static constexpr Eigen::Index kRowsAtOnce = 64;  // bounds the memory of the logits, which stay in the cache

  void forward(std::span<const int> words) {
    x_.resize(static_cast<Eigen::Index>(words.size()), size_.width);
    for (Eigen::Index i = 0; i < x_.rows(); ++i) {
      x_.row(i) = embedding_.value.row(words[static_cast<std::size_t>(i)]) + position_.value.row(i % size_.context);
    }
    for (TransformerBlock<Real>& block : blocks_) block.forward(x_);
    norm_.forward(x_, normed_);
  }

  // What one of two threads does of the output layer, most of the work of a step.
  struct Half {
    Matrix<Real> some, logits, product, grad;
    double loss = 0.0;
  };

  // The loss; where asked for, the gradients of the output's weights and of normed_. The halves are the same, and are
  // added in the same order, on any number of processors.
  double output_layer(std::span<const int> next, bool gradients) {
    const Eigen::Index rows = normed_.rows();
    const Eigen::Index middle = (rows / 2 + kRowsAtOnce - 1) / kRowsAtOnce * kRowsAtOnce;
    dnormed_.resize(rows, size_.width);
    std::future<void> second =
        std::async(std::launch::async, [&] { output_rows(std::min(middle, rows), rows, next, gradients, halves_[1]); });
    output_rows(0, std::min(middle, rows), next, gradients, halves_[0]);
    second.get();
    if (gradients) output_.grad = halves_[0].grad + halves_[1].grad;
    return (halves_[0].loss + halves_[1].loss) / static_cast<double>(rows);
  }

  void output_rows(Eigen::Index first, Eigen::Index end, std::span<const int> next, bool gradients, Half& half) {
    half.loss = 0.0;
    if (gradients) half.grad.setZero(output_.grad.rows(), output_.grad.cols());
    for (Eigen::Index row = first; row < end; row += kRowsAtOnce) {
      const Eigen::Index count = std::min(kRowsAtOnce, end - row);
      half.some = normed_.middleRows(row, count);
      multiply(half.some, output_.value, half.logits);
      half.loss += sum_softmax_cross_entropy(
          half.logits, next.subspan(static_cast<std::size_t>(row), static_cast<std::size_t>(count)),
          Real(1) / static_cast<Real>(normed_.rows()));
      if (!gradients) continue;
      multiply_transposed(half.some, half.logits, half.product);
      half.grad += half.product;
      multiply_by_transposed(half.logits, output_.value, half.some);
      dnormed_.middleRows(row, count) = half.some;
    }
  }

  AttentionSize size_;
  Weight<Real> embedding_, position_;
  std::vector<TransformerBlock<Real>> blocks_;
  LayerNorm<Real> norm_;
  Weight<Real> output_;
  Matrix<Real> x_, dx_, normed_, dnormed_;
  std::array<Half, 2> halves_;
};

}  // namespace adamant::lab
