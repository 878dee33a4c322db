// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/text.h"

#include <zlib.h>

#include <adamant/error.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <unordered_map>

#include "lab/gzip.h"

namespace adamant::lab {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr std::size_t kFewestWords = 1000;

struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

// The code point at the start of `text`; none where it is not UTF-8 (RFC 3629).
std::optional<CodePoint> decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return CodePoint{first, 1};
  const std::size_t bytes = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (bytes == 0 || text.size() < bytes) return {};
  std::uint32_t value = first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return CodePoint{value, bytes};
}

// Outside ASCII: everything from the first accented letter on but the two signs among them, general punctuation,
// symbols and the frames of tables.
bool is_letter(std::uint32_t c) {
  if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c < 0x3040);
}

bool is_apostrophe(std::uint32_t c) { return c == '\'' || c == 0x2019; }

void check_text(const std::string& path, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = decode(text.substr(at));
    if (!c || c->value == 0) {
      char byte[8];
      std::snprintf(byte, sizeof(byte), "0x%02x", static_cast<unsigned>(static_cast<unsigned char>(text[at])));
      throw Error(ErrorCode::io, "'" + path + "' is not UTF-8 text: byte " + byte + " at offset " + std::to_string(at));
    }
    at += c->bytes;
  }
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool apostrophe = false;  // one that belongs to the word if a letter follows
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = decode(text.substr(at)).value_or(CodePoint{0, 1});
    if (is_letter(c.value)) {
      if (apostrophe) word += '\'';
      apostrophe = false;
      for (const char letter : text.substr(at, c.bytes)) {
        word += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
      }
    } else if (is_apostrophe(c.value) && !word.empty() && !apostrophe) {
      apostrophe = true;
    } else {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
      apostrophe = false;
    }
    at += c.bytes;
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

Corpus read_corpus(const std::string& path, std::size_t vocabulary_size) {
  const std::string text = read_file(path, kMostBytes);
  check_text(path, text);
  const std::vector<std::string> words = split_words(text);
  if (words.size() < kFewestWords) {
    throw Error(ErrorCode::io, "'" + path + "' has " + std::to_string(words.size()) + " words: at least " +
                                   std::to_string(kFewestWords) + " are needed");
  }

  Corpus corpus;
  corpus.checksum =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
  corpus.validation = words.size() * 8 / 10;
  corpus.test = words.size() * 9 / 10;
  std::unordered_map<std::string_view, int> counts;
  for (std::size_t i = 0; i < corpus.validation; ++i) ++counts[words[i]];
  std::vector<std::pair<std::string_view, int>> ranked(counts.begin(), counts.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });

  corpus.vocabulary.emplace_back("(unknown)");
  std::unordered_map<std::string_view, int> numbers;
  for (const auto& [word, count] : ranked) {
    if (corpus.vocabulary.size() == vocabulary_size) break;
    numbers[word] = static_cast<int>(corpus.vocabulary.size());
    corpus.vocabulary.emplace_back(word);
  }
  corpus.words.reserve(words.size());
  for (const std::string& word : words) {
    const auto found = numbers.find(word);
    corpus.words.push_back(found == numbers.end() ? 0 : found->second);
  }
  return corpus;
}

}  // namespace adamant::lab
