// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the workloads learn from.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include "lab/digits.h"
#include "lab/gzip.h"
#include "lab/text.h"
#include "tests/support/refusal.h"

namespace adamant::lab {
namespace {

TEST(Digits, AreAllThere) {
  const Digits digits = load_digits();
  ASSERT_EQ(digits.images.rows(), 1797);
  ASSERT_EQ(digits.images.cols(), 64);
  ASSERT_EQ(digits.labels.size(), 1797u);
  EXPECT_EQ(digits.images.minCoeff(), 0.0f);
  EXPECT_EQ(digits.images.maxCoeff(), 1.0f);
  // The counts that the data set's description gives for these 1,797.
  std::array<int, 10> counts{};
  for (const int label : digits.labels) ++counts.at(static_cast<std::size_t>(label));
  EXPECT_EQ(counts, (std::array<int, 10>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
  std::set<std::vector<float>> different;
  for (Eigen::Index i = 0; i < digits.images.rows(); ++i) {
    different.emplace(digits.images.row(i).data(), digits.images.row(i).data() + 64);
  }
  EXPECT_EQ(different.size(), 1797u) << "no image is twice in the data, so none is in the test and in the training";
}

TEST(Words, AreLettersInLowerCase) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_words("The cat's 2 mats -- aren't 'quoted'."), (Words{"the", "cat's", "mats", "aren't", "quoted"}));
  EXPECT_EQ(split_words("naïve Ärger"), (Words{"naïve", "Ärger"})) << "only ASCII is lowered";
  EXPECT_EQ(split_words(""), Words{});
  EXPECT_EQ(split_words("1234 ... '"), Words{});
}

class TextFile : public ::testing::Test {
 protected:
  ~TextFile() override { std::filesystem::remove(path); }
  const std::string& write(const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string path = (std::filesystem::temp_directory_path() / ("adamant-text-" + std::to_string(getpid()))).string();
};

TEST_F(TextFile, BecomesNumbersByFrequency) {
  std::string content;
  for (int i = 0; i < 1000; ++i)
    content += i % 2 == 0 ? "often " : i % 4 == 1 ? "sometimes " : "rare" + std::string(1, char('a' + i % 26)) + " ";
  const Corpus corpus = read_corpus(write(content), 3);
  ASSERT_EQ(corpus.vocabulary.size(), 3u);
  EXPECT_EQ(corpus.vocabulary[1], "often");
  EXPECT_EQ(corpus.vocabulary[2], "sometimes");
  ASSERT_EQ(corpus.words.size(), 1000u);
  EXPECT_EQ(corpus.words[0], 1);
  EXPECT_EQ(corpus.words[1], 2);
  EXPECT_EQ(corpus.words[3], 0) << "too rare to be known";
  EXPECT_EQ(corpus.validation, 800u);
  EXPECT_EQ(corpus.test, 900u);
}

TEST_F(TextFile, IsRefusedWhereItIsNone) {
  const auto refused = [&](const std::string& content) {
    const std::string text = testing::refusal([&] { (void)read_corpus(write(content), 100); });
    EXPECT_NE(text.find("'" + path + "'"), std::string::npos) << text;
    return text;
  };
  EXPECT_NE(refused("").find("words"), std::string::npos);
  EXPECT_NE(refused("too few words").find("words"), std::string::npos);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "word ";
  EXPECT_NE(refused(many + "\xff\xfe").find("UTF-8"), std::string::npos);
  EXPECT_NE(testing::refusal([&] { (void)read_corpus("/nowhere", 100); }).find("'/nowhere'"), std::string::npos);
  EXPECT_NE(testing::refusal([&] { (void)read_corpus("/", 100); }).find("'/'"), std::string::npos);
}

TEST_F(TextFile, PackedIsTheSame) {
  // printf 'hello' | gzip -n9
  const unsigned char packed[] = {0x1f, 0x8b, 8, 0, 0,    0,    0,    0,    2, 3, 0xcb, 0x48, 0xcd,
                                  0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0,    0};
  const std::string bytes(reinterpret_cast<const char*>(packed), sizeof(packed));
  EXPECT_EQ(read_file(write(bytes), 100), "hello");
  EXPECT_EQ(unpack_gzip(packed), "hello");
  EXPECT_NE(testing::refusal([&] { (void)read_file(write(bytes), 4); }), "accepted") << "more than the limit";
  for (std::size_t cut = 0; cut < sizeof(packed); ++cut) {
    EXPECT_THROW((void)unpack_gzip(std::span(packed).first(cut)), std::runtime_error) << cut;
  }
  for (std::size_t at = 10; at < sizeof(packed); ++at) {
    auto damaged = std::to_array(packed);
    damaged[at] ^= 0x55;
    EXPECT_THROW((void)unpack_gzip(damaged), std::runtime_error) << at;
  }
}

}  // namespace
}  // namespace adamant::lab
