// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Files of others: what the format allows is read, all else is refused by what is wrong with it, before memory is taken
// for it. The same for the text in which a checkpoint describes its state.
#include <gtest/gtest.h>

#include <adamant/checkpoint.hpp>
#include <adamant/safetensors.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "checkpoint/files.h"
#include "checkpoint/header.h"
#include "checkpoint/state_text.h"
#include "checkpoint/writing.h"
#include "tests/support/files.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string length_of(std::uint64_t length) {
  const auto bytes = checkpoint::length_bytes(length);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Safetensors : public ::testing::Test {
 protected:
  /// What reading a file with this header, and so many bytes after it, says.
  std::string read(const std::string& header, std::size_t data = 0) {
    write(path, length_of(header.size()) + header + std::string(data, '\1'));
    return refusal([&] { SafetensorsFile file(path); });
  }

  TemporaryFolder folder;
  fs::path path = folder.path() / "x.safetensors";
};

struct Bad {
  std::string header;
  std::size_t data;
  std::string part;  // of the message
};

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}
const std::string kFour = entry("F32", "[1]", "[0,4]");

TEST_F(Safetensors, RefusesEveryHeaderThatIsNone) {
  const std::string nul(1, '\0');
  const std::string huge = "18446744073709551615";  // 2^64-1
  const Bad kBad[] = {
      // Not an object of JSON, and nothing else.
      {"", 0, "is not a JSON object"},
      {"    ", 0, "is not a JSON object"},
      {"[]", 0, "is not a JSON object"},
      {"null", 0, "is not a JSON object"},
      {"{", 0, "is not a JSON object"},
      {"\xEF\xBB\xBF{}", 0, "is not a JSON object"},
      {" {}", 0, "is not a JSON object"},
      {"{}\n", 0, "is not a JSON object"},
      {"{}\t", 0, "is not a JSON object"},
      {"{}" + nul, 0, "is not a JSON object"},
      {"{}x", 0, "is not a JSON object"},
      {"{}{}", 0, "is not JSON at its byte"},
      {"{}" + nul + "{}", 0, "is not JSON at its byte 3"},
      {"{" + nul + "}", 0, "is not JSON at its byte 2"},
      {"{/**/}", 0, "is not JSON"},
      {"{\"a\":" + kFour + ",}", 4, "is not JSON"},
      {"{'a':1}", 0, "is not JSON"},
      {"{\"\xff\":" + kFour + "}", 4, "is not JSON"},
      {"{\"\xC0\x80\":" + kFour + "}", 4, "is not JSON"},
      {"{\"\xED\xA0\x80\":" + kFour + "}", 4, "is not JSON"},
      {R"({"\ud800":)" + kFour + "}", 4, "is not JSON"},
      {R"({"\u0000":)" + kFour + "}", 4, "has a control character"},
      {R"({"a\nb":)" + kFour + "}", 4, "has a control character"},
      // Twice.
      {"{\"a\":" + kFour + ",\"a\":" + kFour + "}", 4, "the name 'a' is there twice"},
      {R"({"a":)" + kFour + R"(,"\u0061":)" + kFour + "}", 4, "the name 'a' is there twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "is there twice"},
      {R"({"__metadata__":{"k":"1","k":"2"}})", 0, "the metadata has 'k' twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "has 'dtype' twice"},
      {R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4, "has 'shape' twice"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]}})", 4, "has 'data_offsets' twice"},
      // Fields.
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "tensor 'a' has no dtype"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "tensor 'a' has no shape"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "tensor 'a' has no data_offsets"},
      {R"({"a":{}})", 0, "tensor 'a' has no dtype"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}})", 4, "unknown field 'extra'"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"":{}}})", 4, "unknown field ''"},
      {R"({"a":)" + entry("F31", "[1]", "[0,4]") + "}", 4, "unknown dtype 'F31'"},
      {R"({"a":)" + entry("f32", "[1]", "[0,4]") + "}", 4, "unknown dtype 'f32'"},
      {R"({"a":)" + entry("", "[1]", "[0,4]") + "}", 4, "unknown dtype ''"},
      // Values of another kind.
      {R"({"a":1})", 0, "has a number where it must not"},
      {R"({"a":"x"})", 0, "has a string where it must not"},
      {R"({"a":null})", 0, "has null where it must not"},
      {R"({"a":[]})", 0, "has an array where it must not"},
      {R"({"a":true})", 0, "has true or false where it must not"},
      {R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4, "has a number where it must not"},
      {R"({"a":{"dtype":{},"shape":[1],"data_offsets":[0,4]}})", 4, "has an object where it must not"},
      {R"({"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}})", 4, "has an array where it must not"},
      {R"({"a":)" + entry("F32", "1", "[0,4]") + "}", 4, "has a number where it must not"},
      {R"({"a":)" + entry("F32", "\"1\"", "[0,4]") + "}", 4, "has a string where it must not"},
      {R"({"a":)" + entry("F32", "{}", "[0,4]") + "}", 4, "has an object where it must not"},
      {R"({"a":)" + entry("F32", "[[1]]", "[0,4]") + "}", 4, "has an array where it must not"},
      {R"({"a":)" + entry("F32", "[\"1\"]", "[0,4]") + "}", 4, "has a string where it must not"},
      {R"({"a":)" + entry("F32", "[null]", "[0,4]") + "}", 4, "has null where it must not"},
      {R"({"a":)" + entry("F32", "[{}]", "[0,4]") + "}", 4, "has an object where it must not"},
      {R"({"__metadata__":1})", 0, "has a number where it must not"},
      {R"({"__metadata__":[]})", 0, "has an array where it must not"},
      {R"({"__metadata__":"x"})", 0, "has a string where it must not"},
      {R"({"__metadata__":{"k":1}})", 0, "has a number where it must not"},
      {R"({"__metadata__":{"k":null}})", 0, "has null where it must not"},
      {R"({"__metadata__":{"k":{}}})", 0, "has an object where it must not"},
      {R"({"__metadata__":{"k":["x"]}})", 0, "has an array where it must not"},
      // Numbers.
      {R"({"a":)" + entry("F32", "[-1]", "[0,4]") + "}", 4, "a negative number"},
      {R"({"a":)" + entry("F32", "[-0]", "[0,4]") + "}", 4, "a negative number"},
      {R"({"a":)" + entry("F32", "[1.0]", "[0,4]") + "}", 4, "a number that is not whole"},
      {R"({"a":)" + entry("F32", "[1e0]", "[0,4]") + "}", 4, "a number that is not whole"},
      {R"({"a":)" + entry("F32", "[18446744073709551616]", "[0,4]") + "}", 4, "a number that is not whole"},
      {R"({"a":)" + entry("F32", "[1e999]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[01]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[+1]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[0x1]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[NaN]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[Infinity]", "[0,4]") + "}", 4, "is not JSON"},
      {R"({"a":)" + entry("F32", "[1]", "[0,4.0]") + "}", 4, "a number that is not whole"},
      {R"({"a":)" + entry("F32", "[1]", "[0,4e0]") + "}", 4, "a number that is not whole"},
      {R"({"a":)" + entry("F32", "[1]", "[-4,0]") + "}", 4, "a negative number"},
      // Shapes.
      {R"({"a":)" + entry("F32", "[2]", "[0,4]") + "}", 4, "has 4 bytes, which are not those of its shape"},
      {R"({"a":)" + entry("F32", "[]", "[0,8]") + "}", 8, "has 8 bytes, which are not those of its shape"},
      {R"({"a":)" + entry("F32", "[0]", "[0,4]") + "}", 4, "has 4 bytes, which are not those of its shape"},
      {R"({"a":)" + entry("F32", "[" + huge + "]", "[0,4]") + "}", 4, "more elements than can be addressed"},
      {R"({"a":)" + entry("U8", "[4294967296,4294967296]", "[0,0]") + "}", 0, "more elements than can be addressed"},
      {R"({"a":)" + entry("U8", "[2305843009213693952,8]", "[0,0]") + "}", 0, "more elements than can be addressed"},
      {R"({"a":)" + entry("U8", "[4294967296,4294967296,0]", "[0,0]") + "}", 0, "more elements than can be addressed"},
      {R"({"a":)" + entry("F4", "[3]", "[0,2]") + "}", 2, "12 bits, which are no whole bytes"},
      {R"({"a":)" + entry("F6_E2M3", "[3]", "[0,3]") + "}", 3, "18 bits, which are no whole bytes"},
      // Offsets.
      {R"({"a":)" + entry("F32", "[1]", "[]") + "}", 4, "has not two data_offsets"},
      {R"({"a":)" + entry("F32", "[1]", "[4]") + "}", 4, "has not two data_offsets"},
      {R"({"a":)" + entry("F32", "[1]", "[0,4,4]") + "}", 4, "has not two data_offsets"},
      {R"({"a":)" + entry("F32", "[1]", "{}") + "}", 4, "has an object where it must not"},
      {R"({"a":)" + entry("F32", "[1]", "4") + "}", 4, "has a number where it must not"},
      {R"({"a":)" + entry("F32", "[1]", "[4,0]") + "}", 4, "ends before it begins"},
      {R"({"a":)" + entry("F32", "[1]", "[" + huge + ",3]") + "}", 4, "ends before it begins"},
      {R"({"a":)" + entry("F32", "[1]", "[18446744073709551611," + huge + "]") + "}", 4, "must begin at 0"},
      {R"({"a":)" + entry("F32", "[1]", "[4,8]") + "}", 8, "begins at byte 4, must begin at 0"},
      {R"({"a":)" + kFour + R"(,"b":)" + entry("F32", "[1]", "[8,12]") + "}", 12, "begins at byte 8, must begin at 4"},
      {R"({"a":)" + kFour + R"(,"b":)" + entry("F32", "[1]", "[0,4]") + "}", 4, "begins at byte 0, must begin at 4"},
      {R"({"a":)" + kFour + R"(,"b":)" + entry("F32", "[1]", "[2,6]") + "}", 6, "begins at byte 2, must begin at 4"},
      {R"({"a":)" + entry("U8", "[0]", "[4,4]") + R"(,"b":)" + entry("U8", "[8]", "[0,8]") + "}", 8, "must begin at"},
      {R"({"a":)" + kFour + "}", 3, "have 4 bytes, but 3 follow the header"},
      {R"({"a":)" + kFour + "}", 5, "have 4 bytes, but 5 follow the header"},
      {"{}", 1, "have 0 bytes, but 1 follow the header"},
      {R"({"__metadata__":{}})", 8, "have 0 bytes, but 8 follow the header"},
      // What only this library writes.
      {R"({"__metadata__":{"adamant.header":"0123456789abcdef"}})", 0, "has only one of its checksums"},
      {R"({"__metadata__":{"adamant.checksums":"xxh3-64 1Mi "}})", 0, "has only one of its checksums"},
      {R"({"__metadata__":{"adamant.other":""}})", 0, "has unknown metadata 'adamant.other'"},
      {R"({"__metadata__":{"adamant.checksums":"xxh3-64 1Mi ","adamant.header":"0123456789abcdef"}})", 0,
       "the header's checksum is wrong"},
      {R"({"__metadata__":{"adamant.checksums":"xxh3-64 1Mi ","adamant.header":"0123456789ABCDEF"}})", 0,
       "the header's checksum is wrong"},
      {R"({"__metadata__":{"adamant.checksums":"xxh3-64 1Mi ","adamant.header" : "0123456789abcdef"}})", 0,
       "the header's checksum is wrong"},
  };
  for (const Bad& bad : kBad) {
    const std::string said = read(bad.header, bad.data);
    EXPECT_TRUE(said.starts_with("io: '") && said.find(bad.part) != std::string::npos)
        << bad.header << "\nsays: " << said << "\nmust say: " << bad.part;
  }
  std::cout << std::size(kBad) << " headers, all refused\n";
}

TEST_F(Safetensors, WritesHeadersAsLongAsReadersTake) {
  constexpr std::uintmax_t kMost = 100'000'000;
  save_safetensors(path, {}, {{"a", ""}});
  std::string note(kMost + 8 - fs::file_size(path), 'x');
  save_safetensors(path, {}, {{"a", note}});
  EXPECT_EQ(fs::file_size(path), 8 + kMost);
  note.append(8, 'x');
  EXPECT_REFUSED(ErrorCode::invalid_argument, "would have 100000008 bytes, must have at most 100000000",
                 save_safetensors(path, {}, {{"a", note}}));
}

TEST_F(Safetensors, RefusesLengthsThatAreNotThere) {
  const auto said = [&](const std::string& bytes) {
    write(path, bytes);
    return refusal([&] { SafetensorsFile file(path); });
  };
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_NE(said(std::string(size, '\0')).find("too short for a safetensors file"), std::string::npos) << size;
  }
  EXPECT_NE(said(std::string(8, '\0')).find("is not a JSON object"), std::string::npos);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{100'000'000}, std::uint64_t{100'000'001}, std::uint64_t{1} << 32,
        std::uint64_t{1} << 53, std::uint64_t{1} << 63, kMost - 8, kMost - 7, kMost - 6, kMost - 1, kMost}) {
    EXPECT_NE(said(length_of(length) + "{}").find("claims a header of " + std::to_string(length) + " bytes"),
              std::string::npos);
  }
  // Longer than readers take, though it is there: no memory is taken for it.
  write(path, length_of(100'000'008) + "{}");
  fs::resize_file(path, 8 + 100'000'008);
  EXPECT_REFUSED(ErrorCode::io, "claims a header of 100000008 bytes, must have at most 100000000",
                 SafetensorsFile(path));
}

TEST_F(Safetensors, RefusesBombsAtOnce) {
  const std::clock_t begin = std::clock();
  constexpr std::size_t kDeep = 5'000'000;
  const std::string brackets(kDeep, '[');
  EXPECT_NE(read(R"({"a":{"dtype":"F32","shape":)" + brackets + "}"), "accepted");
  EXPECT_NE(read("{\"a\":" + brackets + "}"), "accepted");
  std::string objects;
  for (std::size_t i = 0; i < kDeep / 5; ++i) objects += "{\"a\":";
  EXPECT_NE(read(objects + "}"), "accepted");
  EXPECT_NE(read("{\"__metadata__\":" + objects + "}"), "accepted");
  std::string sides = "[1";
  for (std::size_t i = 0; i < kDeep / 5; ++i) sides += ",1";
  EXPECT_EQ(read(R"({"a":)" + entry("U8", sides + "]", "[0,1]") + "}", 1), "accepted");
  // Of processor time, for others may use the machine; with sanitizers, too. It is a fraction of a second without.
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 5.0);
}

TEST_F(Safetensors, ReadsWhatOthersWrite) {
  // Any order, white space, no alignment, empty tensors, single numbers, escapes; without checksums.
  const std::string header = R"({ "b" : {"shape":[ ], "data_offsets":[1,5], "dtype":"F32"},
    "__metadata__":{"adamantium":"x","format":"pt","\u00e9":"\ud83d\ude00"},
    "empty":{"dtype":"F64","shape":[3,0,2],"data_offsets":[5,5]},
    "also":{"dtype":"I8","shape":[2305843009213693951,0],"data_offsets":[5,5]},
    "first":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},
    "a":{"dtype":"BOOL","shape":[1,1],"data_offsets":[0,1]} })";
  write(path, length_of(header.size() + 3) + header + "   " + std::string("\1\2\3\4\5"));
  SafetensorsFile file(path);
  EXPECT_FALSE(file.has_checksums());
  EXPECT_EQ(file.metadata(), (Metadata{{"adamantium", "x"}, {"format", "pt"}, {"\u00e9", "\U0001F600"}}));
  ASSERT_EQ(file.entries().size(), 5u);
  EXPECT_EQ(file.entries()[0].name, "first");
  EXPECT_EQ(file.entries()[1].name, "a");
  EXPECT_EQ(file.entry("b").shape, std::vector<std::size_t>{});
  EXPECT_EQ(file.entry("b").bytes, 4u);
  std::array<std::byte, 3> bytes{};
  file.read(file.entry("b"), 1, bytes);
  EXPECT_EQ(bytes, (std::array{std::byte{3}, std::byte{4}, std::byte{5}}));
  file.read(file.entry("empty"), 0, {});
  EXPECT_REFUSED(ErrorCode::invalid_argument, "are asked for", file.read(file.entry("b"), 2, bytes));
  EXPECT_REFUSED(ErrorCode::invalid_argument, "are asked for",
                 file.read(file.entry("b"), std::numeric_limits<std::uint64_t>::max(), bytes));
  EXPECT_REFUSED(ErrorCode::not_found, "has no tensor 'c'", file.entry("c"));
  SafetensorsEntry other = file.entry("b");
  other.name = "c";
  EXPECT_REFUSED(ErrorCode::not_found, "is not one of", file.read(other, 0, bytes));
  EXPECT_REFUSED(ErrorCode::io, "has no checksums", file.verify());
  EXPECT_REFUSED(ErrorCode::io, "has no checksums", file.checksum());
  EXPECT_EQ(read("{}"), "accepted");
  EXPECT_EQ(read("{}      "), "accepted");
  EXPECT_EQ(read(R"({"__metadata__":{}})"), "accepted");
  EXPECT_EQ(read(R"({"a":)" + entry("F4", "[4]", "[0,2]") + "}", 2), "accepted");
  for (const SafetensorsType& type : safetensors_types()) {
    const std::string offsets = "[0," + std::to_string(type.bits) + "]";
    EXPECT_EQ(read(R"({"a":)" + entry(std::string(type.name), "[2,4]", offsets) + "}", type.bits), "accepted")
        << type.name;
  }
}

TEST_F(Safetensors, ReadsWhatItWrites) {
  constexpr std::size_t kLarge = (std::size_t{3} << 20) + 17;  // several chunks, and a tail
  std::vector<std::byte> large(kLarge);
  for (std::size_t i = 0; i < kLarge; ++i) large[i] = static_cast<std::byte>(i * 2654435761u >> 13);
  const std::span all(large);
  const std::vector<SafetensorsTensor> tensors = {{"\u00e9 \"quoted\\", "U8", {kLarge}, all},
                                                  {"scalar", "F64", {}, all.first(8)},
                                                  {"none", "F16", {4, 0}, {}},
                                                  {"half", "BF16", {3, 5}, all.subspan(100, 30)},
                                                  {"tiny", "F4", {2}, all.first(1)}};
  const Metadata metadata = {{"", ""},
                             {"k", "\"\\\n\x7f\u20ac"},
                             {"x", std::string(1, '\0')},
                             {"looks", "\"adamant.header\":\"0000000000000000\""}};
  save_safetensors(path, tensors, metadata);
  SafetensorsFile file(path);
  file.verify();
  EXPECT_TRUE(file.has_checksums());
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.entries().size(), tensors.size());
  for (const SafetensorsTensor& tensor : tensors) {
    const SafetensorsEntry& its = file.entry(tensor.name);
    EXPECT_EQ(its.shape, tensor.shape);
    EXPECT_EQ(its.type.name, tensor.type);
    ASSERT_EQ(its.bytes, tensor.bytes.size());
    EXPECT_EQ(its.offset % (its.type.bits >= 8 ? its.type.bits / 8 : 1), 0u) << tensor.name;
    // In pieces of a size that is no part of a chunk.
    std::vector<std::byte> bytes(its.bytes);
    for (std::size_t first = 0; first < bytes.size(); first += 70001) {
      file.read(its, first, std::span(bytes).subspan(first, std::min<std::size_t>(70001, bytes.size() - first)));
    }
    EXPECT_TRUE(std::ranges::equal(bytes, tensor.bytes)) << tensor.name;
  }
  save_safetensors(path, {});
  EXPECT_TRUE(SafetensorsFile(path).entries().empty());
  EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

TEST_F(Safetensors, WritesNothingThatItWouldNotRead) {
  write(path, "old");
  const std::array<std::byte, 8> bytes{};
  const auto refused = [&](ErrorCode code, const std::string& part, const SafetensorsTensor& tensor) {
    const std::vector<SafetensorsTensor> tensors = {{"first", "U8", {8}, bytes}, tensor};
    EXPECT_REFUSED(code, part, save_safetensors(path, tensors));
    EXPECT_EQ(contents(path), "old");
  };
  refused(ErrorCode::duplicate, "'first' is given twice", {"first", "F64", {1}, bytes});
  refused(ErrorCode::mismatch, "has 8 bytes but its shape has 16", {"a", "F64", {2}, bytes});
  refused(ErrorCode::invalid_argument, "unknown dtype 'F65'", {"a", "F65", {1}, bytes});
  refused(ErrorCode::invalid_argument, "no whole bytes", {"a", "F4", {3}, bytes});
  refused(ErrorCode::invalid_argument, "can be addressed", {"a", "F64", {std::size_t{1} << 62, 4}, bytes});
  refused(ErrorCode::invalid_argument, "must be UTF-8", {"\xff", "F64", {1}, bytes});
  refused(ErrorCode::invalid_argument, "not '__metadata__'", {"__metadata__", "F64", {1}, bytes});
  refused(ErrorCode::invalid_argument, "control character", {"a\nb", "F64", {1}, bytes});
  refused(ErrorCode::invalid_argument, "control character", {std::string(1, '\0'), "F64", {1}, bytes});
  EXPECT_REFUSED(ErrorCode::invalid_argument, "not UTF-8", save_safetensors(path, {}, {{"a", "\xC3"}}));
  EXPECT_REFUSED(ErrorCode::invalid_argument, "the library's own", save_safetensors(path, {}, {{"adamant", ""}}));
  EXPECT_REFUSED(ErrorCode::io, "names no file", save_safetensors(folder.path() / "", {}));
  EXPECT_REFUSED(ErrorCode::io, "too long", save_safetensors(folder.path() / std::string(300, 'x'), {}));
  EXPECT_EQ(contents(path), "old");
  EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

// Whatever shape an optimizer takes for no elements, its checkpoint has.
TEST_F(Safetensors, HaveTheShapesOfEmptyTensors) {
  const std::size_t large = std::size_t{1} << 40, none = 0;
  std::vector<float> w(2), empty;
  for (const auto& shape : {std::vector{none}, {none, 3}, {3, none}, {none, large, large}, {large, none, large}}) {
    Optimizer optimizer(Rule::adamw, {{"__w", w}, {"empty", empty, {}, shape}});
    save(optimizer, path, {.params = true});
    load(optimizer, path, {.params = true});
    EXPECT_EQ(SafetensorsFile(path).entry("empty/exp_avg").shape, shape);
  }
}

/// A checkpoint whose state is described by any text, with checksums that fit: what an adversary would write.
class StateText : public Safetensors {
 protected:
  StateText() : good(Json::parse(kGood)) {}

  void put(const std::string& text, const std::vector<SafetensorsTensor>& tensors) {
    put(path, tensors, {{std::string(checkpoint::kStateKey), text}});
  }
  static void put(const fs::path& at, const std::vector<SafetensorsTensor>& tensors, const Metadata& metadata) {
    const checkpoint::Place place = checkpoint::place_of(at);
    checkpoint::Written written = checkpoint::write_safetensors(place.folder, place.name, tensors, metadata);
    written.file.rename(place.name);
  }
  std::string load_text(const std::string& text) {
    put(text, tensors());
    return refusal([&] { load(optimizer, path, {.params = true}); });
  }
  std::string load_changed(const std::function<void(Json&)>& change) {
    Json json = good;
    change(json);
    return load_text(json.dump());
  }
  std::vector<SafetensorsTensor> tensors() {
    const std::span bytes = std::as_bytes(std::span(numbers));
    return {{"a", "F32", {3}, bytes},
            {"b", "F32", {3}, bytes},
            {"a/momentum_buffer", "F32", {3}, bytes},
            {"b/momentum_buffer", "F32", {3}, bytes}};
  }

  static constexpr const char* kGood = R"({"format":"adamant-1","seed":0,"steps":3,"grad_norm":null,
    "state_format":"f32","weight_format":"plain",
    "groups":[{"rule":"sgd","formula":"sgd-momentum-1","options":{"lr":0.1,"momentum":0.5,"dampening":0.0,
      "weight_decay":0.0,"nesterov":false,"maximize":false}}],
    "tensors":{"a":{"shape":[3],"group":0,"step":3,"state_format":"f32","weight_format":"plain"},
               "b":{"shape":[3],"group":0,"step":2,"state_format":"f32","weight_format":"plain"}}})";
  Json good;
  std::vector<float> numbers = {1, 2, 3}, a = {0, 0, 0}, b = a, g = {1, 1, 1};
  Optimizer optimizer{Rule::sgd, {{"a", a, g}, {"b", b, g}}, {.lr = 0.5, .momentum = 0.9}};
};

TEST_F(StateText, OfAnyShapeIsReadOrRefused) {
  good["groups"][0]["formula"] = optimizer.formula();
  ASSERT_EQ(load_changed([](Json&) {}), "accepted");
  EXPECT_EQ(a, numbers);
  EXPECT_EQ(optimizer.steps(), 3u);
  EXPECT_EQ(*optimizer.options().lr, 0.1);
  EXPECT_EQ(optimizer.tensor(1).step, 2u);
  a = {7, 7, 7};

  const std::string text = good.dump();
  const std::pair<std::string, std::string> kTexts[] = {
      {"", "is not JSON"},
      {"{", "is not JSON"},
      {"[]", "the state is not an object"},
      {"null", "the state is not an object"},
      {text + "x", "is not JSON"},
      {text + std::string("\0x", 2), "is not JSON"},
      {std::string(100000, '['), "is nested too deeply"},
      {text.substr(0, text.size() - 1) + R"(,"steps":4})", "has 'steps' twice"},
      {R"({"a":[[[[[[[[1]]]]]]]]})", "is nested too deeply"},
  };
  for (const auto& [bad, part] : kTexts) {
    const std::string said = load_text(bad);
    EXPECT_TRUE(said.starts_with("io: ") && said.find(part) != std::string::npos) << bad.substr(0, 80) << "\n" << said;
  }
  // Every field, missing, unknown and of every other kind.
  const std::vector<Json::json_pointer> objects = {Json::json_pointer(""), Json::json_pointer("/groups/0"),
                                                   Json::json_pointer("/groups/0/options"),
                                                   Json::json_pointer("/tensors"), Json::json_pointer("/tensors/a")};
  std::size_t changes = 0;
  for (const auto& object : objects) {
    EXPECT_NE(load_changed([&](Json& json) { json[object]["extra"] = 1; }), "accepted") << object;
    EXPECT_NE(load_changed([&](Json& json) { json[object][""] = {}; }), "accepted") << object;
    for (const auto& item : good[object].items()) {
      const std::string key = item.key();
      EXPECT_NE(load_changed([&](Json& json) { json[object].erase(key); }), "accepted") << object << "/" << key;
      for (const Json& other :
           {Json(nullptr), Json(true), Json(-1), Json(0.5), Json("x"), Json(""), Json::array(), Json::object(),
            Json::array({1}), Json::array({1, 2, 3}), Json(std::uint64_t{1} << 63), Json(1e300), Json({{"a", 1}})}) {
        Json changed = good;
        changed[object][key] = other;
        const std::string said = load_text(changed.dump());
        ++changes;
        // Options may have other values, and a seed any.
        const bool may = (key == "seed" && other.is_number_unsigned()) ||
                         object == Json::json_pointer("/groups/0/options") || key == "grad_norm";
        EXPECT_TRUE(may || said.starts_with("io: ") || said.starts_with("mismatch: ")) << changed << "\n" << said;
        EXPECT_TRUE(said.find("not an adamant::Error") == std::string::npos) << changed << "\n" << said;
        EXPECT_TRUE(said == "accepted" || a == (std::vector<float>{7, 7, 7})) << changed;
        a = {7, 7, 7};
      }
    }
  }
  EXPECT_GT(changes, 200u);

  const auto said = [&](const std::string& part, const std::function<void(Json&)>& change) {
    const std::string what = load_changed(change);
    EXPECT_NE(what.find(part), std::string::npos) << what;
  };
  said("another version", [](Json& json) { json["format"] = "adamant-2"; });
  said("none of its groups", [](Json& json) { json["tensors"]["a"]["group"] = 1; });
  said("none of its groups", [](Json& json) { json["tensors"]["a"]["group"] = ~std::uint64_t{0}; });
  said("parameter groups", [](Json& json) { json["groups"].push_back(json["groups"][0]); });
  said("must be 'sgd'", [](Json& json) { json["groups"][0]["rule"] = "adamw"; });
  said("formula of group 0", [](Json& json) { json["groups"][0]["formula"] = "sgd-9"; });
  said("at most 2^62", [](Json& json) { json["steps"] = ~std::uint64_t{0}; });
  said("at most 2^62", [](Json& json) { json["tensors"]["a"]["step"] = ~std::uint64_t{0}; });
  said("another shape", [](Json& json) { json["tensors"]["a"]["shape"] = {1, 3}; });
  said("grad_norm", [](Json& json) { json["grad_norm"] = -1; });
  said("learning rate", [](Json& json) { json["groups"][0]["options"]["lr"] = -1.0; });
  said("of none that it names", [](Json& json) { json["tensors"].erase("a"); });
  said("some of the parameters, not all", [](Json& json) { json["tensors"]["c"] = json["tensors"]["a"]; });
}

TEST_F(StateText, GoesWithItsTensors) {
  good["groups"][0]["formula"] = optimizer.formula();
  const auto said = [&](const std::string& part, const std::function<void(std::vector<SafetensorsTensor>&)>& change,
                        const LoadOptions& options = {.params = true}) {
    std::vector<SafetensorsTensor> changed = tensors();
    change(changed);
    put(good.dump(), changed);
    const std::string what = refusal([&] { load(optimizer, path, options); });
    EXPECT_NE(what.find(part), std::string::npos) << what;
    EXPECT_EQ(a, (std::vector<float>{0, 0, 0}));
  };
  const std::span bytes = std::as_bytes(std::span(numbers));
  using List = std::vector<SafetensorsTensor>;
  said("some of the parameters, not all", [](List& list) { list.erase(list.begin()); });
  said("has no parameters", [](List& list) { list.erase(list.begin(), list.begin() + 2); });
  said("'a/' is no plane of a state", [](List& list) { list[1].name = "a/"; });
  said("'momentum_buffer' of tensor 'a' is missing", [](List& list) { list.erase(list.begin() + 2); });
  said("is of none that it names", [](List& list) { list[0].name = "c"; });
  said("is F64, must be F32", [&](List& list) { list[2] = {"a/momentum_buffer", "F64", {0}, {}}; });
  said("no plane of a state", [&](List& list) { list.push_back({"a/x/exponents", "U8", {12}, bytes}); });
  said("no plane of a state", [&](List& list) { list.push_back({"a/x/y/z", "U8", {12}, bytes}); });
  said("goes with no weight format", [&](List& list) { list.push_back({"a/low_bits", "U8", {12}, bytes}); });
  said("which", [&](List& list) { list.push_back({"a/exp_avg", "F32", {3}, bytes}); });
  said("must have 12", [&](List& list) { list[2] = {"a/momentum_buffer", "F32", {2}, bytes.first(8)}; });
  said("another shape", [&](List& list) { list[0] = {"a", "F32", {2}, bytes.first(8)}; });
  said("parameter 'a' of the checkpoint is I32", [&](List& list) { list[0] = {"a", "I32", {3}, bytes}; });
  const std::vector<float> infinite = {1, std::numeric_limits<float>::infinity(), 3};
  said("must be finite", [&](List& list) { list[3].bytes = std::as_bytes(std::span(infinite)); });
}

TEST_F(StateText, NamesFilesInItsFolderOnly) {
  good["groups"][0]["formula"] = optimizer.formula();
  // A set of two files, as save() would write it.
  const std::vector<SafetensorsTensor> all = tensors();
  const fs::path part = folder.path() / "part", outside = folder.path() / "outside";
  fs::create_directory(outside);
  put(part, all, {});
  const std::uint64_t checksum = SafetensorsFile(part).checksum();
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(checksum));
  const Json file = {{"name", "part"}, {"bytes", fs::file_size(part)}, {"checksum", digits}};
  const auto load_files = [&](const Json& files) {
    Json json = good;
    json["files"] = files;
    put(json.dump(), {});
    return refusal([&] { load(optimizer, path, {.params = true}); });
  };
  const auto load_changed_file = [&](const char* key, const Json& value) {
    Json changed = file;
    changed[key] = value;
    return load_files(Json::array({changed}));
  };
  const auto says = [](const std::string& what, const std::string& part_of_it) {
    EXPECT_TRUE(what.starts_with("io: ") && what.find(part_of_it) != std::string::npos) << what;
  };
  EXPECT_EQ(load_files(Json::array({file})), "accepted");
  fs::copy_file(part, outside / "part");
  for (const char* name : {"", ".", "..", "../part", "outside/part", "/etc/passwd", "./part"}) {
    says(load_changed_file("name", name), "is not a name in its folder");
  }
  says(load_changed_file("name", std::string("part\0x", 6)), "is not a name in its folder");
  says(load_changed_file("name", "outside"), "is not a regular file");
  says(load_changed_file("name", "missing"), "No such file");
  says(load_changed_file("name", std::string(300, 'x')), "too long");
  says(load_changed_file("name", path.filename().string()), "is another one than it names");
  says(load_changed_file("name", 1), "not a string");
  says(load_changed_file("bytes", fs::file_size(part) + 1), "is another one than it names");
  says(load_changed_file("bytes", -1), "not a whole number");
  says(load_changed_file("checksum", "0000000000000000"), "is another one than it names");
  says(load_changed_file("checksum", "0"), "not 16 hexadecimal digits");
  says(load_changed_file("extra", "0"), "unknown");
  says(load_files(Json::array({file, file})), "in two of its files");
  says(load_files(Json::array({1})), "not an object");
  says(load_files(Json{{"a", 1}}), "not an array");
  EXPECT_NE(load_files(Json::array()).find("has no parameters"), std::string::npos);
  fs::create_symlink("outside/part", folder.path() / "link");
  says(load_changed_file("name", "link"), "is a link");
  fs::create_symlink("loop", folder.path() / "loop");
  says(load_changed_file("name", "loop"), "is a link");
  const std::string first = contents(path);
  fs::remove(path);
  fs::create_symlink(path.filename(), path);
  EXPECT_REFUSED(ErrorCode::io, "Too many levels of symbolic links", load(optimizer, path));
  EXPECT_REFUSED(ErrorCode::io, "Too many levels of symbolic links", save(optimizer, path));
  // The whole set by way of a link: its files are beside what the link leads to.
  fs::remove(path);
  put(part, all, {});
  Json json = good;
  json["files"] = Json::array({file});
  put(json.dump(), {});
  fs::create_symlink(".." / path.filename(), outside / "set");
  load(optimizer, outside / "set", {.params = true});
}

}  // namespace
}  // namespace adamant::testing
