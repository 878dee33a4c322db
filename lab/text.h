// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Words of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::lab {

/// Where Debian's package jargon-text puts The Jargon File.
inline constexpr const char* kJargonFile = "/usr/share/doc/jargon-text/jargon.txt.gz";

/// How many words the models know.
inline constexpr std::size_t kVocabulary = 3000;

/// The words of a UTF-8 text: letters with apostrophes between them, in lower case (ASCII letters only are lowered).
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

/// A text as numbers of a vocabulary.
struct Corpus {
  std::vector<std::string> vocabulary;  ///< by falling frequency; 0 stands for every word that is not in it
  std::vector<int> words;               ///< the whole text
  std::size_t validation = 0;           ///< words before it are for training; from here on for choosing settings,
  std::size_t test = 0;                 ///< and from here on for the final score
  std::uint32_t checksum = 0;           ///< CRC-32 of the text's bytes
};

/// Reads a text, plain or gzip. Throws adamant::Error naming the path where it cannot be read, is not UTF-8 text, or
/// has fewer than 1,000 words. 80% of the words are for training, 10% for validation, 10% for the test, in their order;
/// the vocabulary holds the most frequent ones of the first part.
[[nodiscard]] Corpus read_corpus(const std::string& path, std::size_t vocabulary_size);

}  // namespace adamant::lab
