// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Saving and loading: planes of an optimizer to and from entries of safetensors files.
#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/float_environment.h"
#include "base/text.h"
#include "checkpoint/checksums.h"
#include "checkpoint/files.h"
#include "checkpoint/header.h"
#include "checkpoint/parts.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/state_text.h"
#include "checkpoint/system.h"
#include "checkpoint/writing.h"

namespace adamant {

using namespace checkpoint;

namespace {

// No name of a tensor has a "/".
constexpr std::string_view kExponents = "exponents", kLowBits = "low_bits";
void name_entry(std::string& name, std::string_view tensor, std::string_view state, PlaneKind kind) {
  name.assign(tensor).append("/").append(kind == PlaneKind::low_bits ? kLowBits : state);
  if (kind == PlaneKind::exponents) name.append("/").append(kExponents);
}
std::string entry_name(std::string_view tensor, std::string_view state, PlaneKind kind) {
  std::string name;
  name_entry(name, tensor, state, kind);
  return name;
}

constexpr std::string_view type_name(Format format) {
  switch (format) {
    case Format::f32:
      return "F32";
    case Format::f64:
      return "F64";
    case Format::bf16:
      return "BF16";
    case Format::f16:
      break;
  }
  return "F16";
}
// Codes are unsigned numbers of their size.
constexpr std::string_view type_name(std::size_t bytes) { return bytes == 2 ? "U16" : "U8"; }
std::string_view values_type(StateFormat format) {
  const StateFormatInfo& its = info(format);
  return its.element ? type_name(*its.element) : type_name(its.bytes);
}

// The shape of the tensor, where the plane has an element for each of its.
SafetensorsTensor plane_tensor(std::string name, std::string_view type, const std::vector<std::size_t>& shape,
                               std::span<const std::byte> bytes) {
  const std::size_t each = type_of(type).bits / 8;
  const bool whole = bytes_of_shape(shape, type_of(type)) == bytes.size();
  return {std::move(name), type, whole ? shape : std::vector{bytes.size() / each}, bytes};
}

std::vector<SafetensorsTensor> planes_of(const StateDictView& dict) {
  std::vector<SafetensorsTensor> planes;
  for (const auto& [name, entry] : dict.tensors) {
    for (const auto& [state, its] : entry.states) {
      planes.push_back(
          plane_tensor(entry_name(name, state, PlaneKind::values), values_type(its.format), entry.shape, its.bytes));
      if (its.exponents.empty()) continue;
      planes.push_back(plane_tensor(entry_name(name, state, PlaneKind::exponents), "U8", entry.shape, its.exponents));
    }
    if (info(entry.weight_format).bytes == 0) continue;
    planes.push_back(plane_tensor(entry_name(name, {}, PlaneKind::low_bits), type_name(info(entry.weight_format).bytes),
                                  entry.shape, entry.weight_bits));
  }
  return planes;
}

StateText text_of(const Snapshot& snapshot) {
  const StateDictView& dict = snapshot.dict;
  StateText text;
  text.state.seed = dict.seed;
  text.state.steps = dict.steps;
  text.state.grad_norm = dict.grad_norm;
  text.state.groups = dict.groups;
  text.state_format = snapshot.state_format;
  text.weight_format = snapshot.weight_format;
  for (const auto& [name, entry] : dict.tensors) {
    text.state.tensors[name] = {entry.shape, entry.step, entry.weight_format, 0, {}};
    text.formats[name] = entry.states.empty() ? snapshot.state_format : entry.states.begin()->second.format;
  }
  return text;
}

// What belongs to one tensor stays together.
std::vector<std::vector<SafetensorsTensor>> divided(std::vector<SafetensorsTensor> tensors, std::uint64_t most) {
  std::vector<std::vector<SafetensorsTensor>> parts(1);
  std::uint64_t bytes = 0;
  for (SafetensorsTensor& tensor : tensors) {
    if (most > 0 && bytes > 0 && bytes + tensor.bytes.size() > most) {
      parts.emplace_back();
      bytes = 0;
    }
    bytes += tensor.bytes.size();
    parts.back().push_back(std::move(tensor));
  }
  return parts;
}

}  // namespace

namespace checkpoint {

void write(const Snapshot& snapshot, const Folder& folder, const std::string& name, std::uint64_t max_file_bytes) {
  std::vector<SafetensorsTensor> tensors = planes_of(snapshot.dict);
  for (const auto& [tensor, param] : snapshot.params) {
    const std::span bytes(static_cast<const std::byte*>(param.data), param.size * info(param.format).bytes);
    tensors.push_back({tensor, type_name(param.format), snapshot.dict.tensors.at(tensor).shape, bytes});
  }
  std::ranges::sort(tensors, {}, &SafetensorsTensor::name);
  std::vector<std::vector<SafetensorsTensor>> parts = divided(std::move(tensors), max_file_bytes);

  StateText text = text_of(snapshot);
  std::deque<Written> written;
  if (parts.size() > 1) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      written.push_back(write_safetensors(folder, part_name(name, 0, i, parts.size()), parts[i], {}));
      text.parts.push_back({{}, written[i].bytes, written[i].checksum});
    }
    name_parts(name, text.parts, to_text(text));
    parts.assign(1, {});
  }
  Metadata metadata = snapshot.metadata;
  metadata[std::string(kStateKey)] = to_text(text);
  Written first = write_safetensors(folder, name, parts.front(), metadata);
  for (std::size_t i = 0; i < written.size(); ++i) written[i].file.rename(text.parts[i].name);
  // What the first file names is there before it.
  if (!written.empty()) folder.sync();
  first.file.rename(name);
  folder.sync();
  remove_parts_but(folder, name, text.parts);
  folder.remove_orphans();
}

void use_snapshot(const Optimizer& optimizer, bool params, const Metadata& metadata,
                  const std::function<void(const Snapshot&)>& use) {
  check_metadata(metadata);
  optimizer.with_state([&](const StateDictView& dict) {
    Snapshot snapshot = {dict, optimizer.settings().state, optimizer.settings().weights, {}, metadata};
    for (const auto& [name, entry] : dict.tensors) {
      if (params) snapshot.params.emplace(name, optimizer.param(name));
    }
    use(snapshot);
  });
}

}  // namespace checkpoint

void save(const Optimizer& optimizer, const std::filesystem::path& path, const SaveOptions& options) {
  const FloatEnvironment environment;
  use_snapshot(optimizer, options.params, options.metadata, [&](const Snapshot& snapshot) {
    const Place place = place_of(path);
    write(snapshot, place.folder, place.name, options.max_file_bytes);
  });
}

namespace {

// The files of a checkpoint, and where each entry is.
struct Source {
  explicit Source(const std::filesystem::path& path) {
    try {
      open(path);
    } catch (const Wrong& wrong) {
      throw Error(ErrorCode::io, printable(path.native()) + ": " + wrong.why);
    }
  }

  struct At {
    SafetensorsFile* file;
    const SafetensorsEntry* entry;
  };

  void open(const std::filesystem::path& path) {
    add(SafetensorsFile(path), path);
    info.metadata = files.front().metadata();
    const auto state = info.metadata.extract(std::string(kStateKey));
    if (!state || !files.front().has_checksums()) throw Wrong{"is no checkpoint of adamant"};
    StateText text = state_text_from(state.mapped());
    if (!text.parts.empty()) {
      const Place place = place_of(path);
      for (const Part& part : text.parts) {
        const std::filesystem::path its = place.folder.path() / part.name;
        struct stat status{};
        if (system().status_at(place.folder.number(), part.name.c_str(), status) == 0 && S_ISLNK(status.st_mode)) {
          throw Wrong{"its file " + printable(part.name) + " is a link"};
        }
        SafetensorsFile file(its);
        if (!file.has_checksums() || file.size() != part.bytes || file.checksum() != part.checksum) {
          throw Wrong{"its file " + printable(part.name) + " is another one than it names"};
        }
        add(std::move(file), its);
      }
    }
    describe(std::move(text));
  }

  void add(SafetensorsFile file, const std::filesystem::path& path) {
    SafetensorsFile& kept = files.emplace_back(std::move(file));
    for (const SafetensorsEntry& entry : kept.entries()) {
      if (!entries.emplace(entry.name, At{&kept, &entry}).second) {
        throw Wrong{"tensor " + printable(entry.name) + " is in two of its files"};
      }
      info.entries.push_back(entry);
    }
    info.files.push_back(path);
    info.bytes += kept.size();
  }

  // Gives each entry to its tensor.
  void describe(StateText text) {
    info.state_format = text.state_format;
    info.weight_format = text.weight_format;
    info.state = std::move(text.state);
    std::size_t params = 0;
    for (const auto& [name, at] : entries) {
      const std::string tensor = name.substr(0, name.find('/'));
      const auto found = info.state.tensors.find(tensor);
      if (found == info.state.tensors.end()) throw Wrong{"its tensor " + printable(name) + " is of none that it names"};
      StateDescription::Entry& entry = found->second;
      const std::string plane = name.substr(std::min(name.size(), tensor.size() + 1));
      const SafetensorsEntry& its = *at.entry;
      const auto expect = [&](std::string_view type) {
        if (its.type.name == type) return;
        throw Wrong{"its tensor " + printable(name) + " is " + std::string(its.type.name) + ", must be " +
                    std::string(type)};
      };
      if (name == tensor) {
        ++params;
        if (its.shape != entry.shape)
          throw Wrong{"its parameter " + printable(name) + " has another shape than it names"};
      } else if (plane == kLowBits) {
        const std::size_t bytes = adamant::info(entry.weight_format).bytes;
        if (bytes == 0) throw Wrong{"its tensor " + printable(name) + " goes with no weight format that it names"};
        expect(type_name(bytes));
        entry.weight_bits = its.bytes;
      } else if (const std::size_t slash = plane.find('/'); slash == std::string::npos && !plane.empty()) {
        const StateFormat format = text.formats.at(tensor);
        expect(values_type(format));
        StateDescription::State& state = entry.states[plane];
        state.format = format;
        state.bytes = its.bytes;
      } else {
        if (slash == std::string::npos || plane.substr(slash + 1) != kExponents ||
            !entries.contains(name.substr(0, name.rfind('/')))) {
          throw Wrong{"its tensor " + printable(name) + " is no plane of a state"};
        }
        expect("U8");
        entry.states[plane.substr(0, slash)].exponents = its.bytes;
      }
    }
    if (params != 0 && params != info.state.tensors.size()) throw Wrong{"it has some of the parameters, not all"};
    info.params = params != 0;
  }

  void read(const std::string& name, std::size_t first, std::span<std::byte> to) {
    const At& at = entries.at(name);
    at.file->read(*at.entry, first, to);
  }

  void verify(const std::string& name) {
    std::vector<std::byte> bytes(std::min<std::uint64_t>(kChunk, entries.at(name).entry->bytes));
    for (std::uint64_t first = 0; first < entries.at(name).entry->bytes; first += kChunk) {
      read(name, first, std::span(bytes).first(std::min<std::uint64_t>(kChunk, entries.at(name).entry->bytes - first)));
    }
  }

  /// Allocates nothing where whole chunks are read: memory that runs out shall not leave states mixed.
  [[nodiscard]] ReadPlane reader() {
    std::size_t longest = 0;
    for (const auto& [name, at] : entries) longest = std::max(longest, name.size());
    asked.reserve(longest);
    return [this](std::string_view tensor, std::string_view state, PlaneKind kind, std::size_t first,
                  std::span<std::byte> to) {
      name_entry(asked, tensor, state, kind);
      read(asked, first, to);
    };
  }

  std::deque<SafetensorsFile> files;
  std::unordered_map<std::string, At> entries;
  std::string asked;  // name of the entry that is read
  CheckpointInfo info;
};

// The parameters of the file belong to those of the optimizer.
void check_params(const Optimizer& optimizer, const Source& source) {
  std::set<std::string> own;
  for (std::size_t t = 0; t < optimizer.tensor_count(); ++t) own.insert(optimizer.tensor(t).name);
  for (const auto& [name, entry] : source.info.state.tensors) {
    if (!own.contains(name)) {
      throw Error(ErrorCode::mismatch, "tensor " + printable(name) + " is not one of this optimizer's");
    }
    const Tensor param = optimizer.param(name);
    const SafetensorsEntry& its = *source.entries.at(name).entry;
    if (its.type.name == type_name(param.format) && its.bytes == param.size * info(param.format).bytes) continue;
    throw Error(ErrorCode::mismatch, "parameter " + in_quotes(name) + " of the checkpoint is " +
                                         std::string(its.type.name) + ", must be " +
                                         std::string(type_name(param.format)));
  }
}

void read_params(Optimizer& optimizer, Source& source) {
  for (const auto& [name, entry] : source.info.state.tensors) {
    const Tensor param = optimizer.param(name);
    source.read(name, 0, {static_cast<std::byte*>(param.data), param.size * info(param.format).bytes});
  }
}

bool is_exact(StateFormat from, StateFormat to) {
  return from == to || (to == StateFormat::f32 && from != StateFormat::f64);
}
bool is_exact(WeightFormat from, WeightFormat to) { return info(from).bytes <= info(to).bytes; }

// An optimizer of the same tensors, with parameters of its own and states of other formats.
struct Twin {
  Twin(const Optimizer& of, StateFormat state, WeightFormat weights) {
    std::vector<ParamGroup> groups;
    groups.reserve(of.group_count());
    for (std::size_t g = 0; g < of.group_count(); ++g) groups.push_back({{}, of.options(g), of.rule(g)});
    for (std::size_t t = 0; t < of.tensor_count(); ++t) {
      const TensorInfo its = of.tensor(t);
      const Tensor param = of.param(t);
      const auto* bytes = static_cast<const std::byte*>(param.data);
      std::vector<std::byte>& copy = params.emplace_back(bytes, bytes + param.size * info(param.format).bytes);
      groups[its.group].params.push_back({its.name, Tensor(address_of(copy), param.size, param.format), {}, its.shape});
    }
    Settings settings = of.settings();
    settings.state = state;
    settings.weights = weights;
    optimizer.emplace(of.rule(), std::move(groups), Options{}, settings);
  }
  // Tensors without elements have one, too.
  static void* address_of(std::vector<std::byte>& bytes) {
    bytes.reserve(1);
    return bytes.data();
  }
  void copy_params_to(Optimizer& to) const {
    for (std::size_t t = 0; t < to.tensor_count(); ++t) {
      if (!params[t].empty()) std::memcpy(to.param(t).data, params[t].data(), params[t].size());
    }
  }

  std::deque<std::vector<std::byte>> params;  // in the order of the tensors
  std::optional<Optimizer> optimizer;
};

// Loads by way of the formats of the file.
void load_converted(Optimizer& optimizer, Source& source, const LoadOptions& options) {
  const Settings own = optimizer.settings();
  const CheckpointInfo& its = source.info;
  const bool exact = is_exact(its.state_format, own.state) && is_exact(its.weight_format, own.weights);
  if (!exact && !options.round) {
    throw Error(ErrorCode::mismatch, "the checkpoint has " + std::string(info(its.state_format).name) + " states and " +
                                         std::string(info(its.weight_format).name) + " weights, the optimizer " +
                                         std::string(info(own.state).name) + " and " +
                                         std::string(info(own.weights).name) +
                                         ": to convert them would round, which a load does only where `round` is set");
  }
  Twin twin(optimizer, its.state_format, its.weight_format);
  twin.optimizer->load_state_dict(its.state, source.reader(), [&] {
    if (options.params) read_params(*twin.optimizer, source);
  });
  twin.optimizer->set_formats(own.state, own.weights);
  optimizer.load_state_dict(twin.optimizer->state_dict());
  // Weights that were rounded are rounded in their parameter, too.
  twin.copy_params_to(optimizer);
}

}  // namespace

CheckpointInfo inspect(const std::filesystem::path& path) {
  const FloatEnvironment environment;
  return std::move(Source(path).info);
}

void verify(const std::filesystem::path& path) {
  Source source(path);
  for (SafetensorsFile& file : source.files) file.verify();
}

CheckpointInfo load(Optimizer& optimizer, const std::filesystem::path& path, const LoadOptions& options) {
  const FloatEnvironment environment;
  Source source(path);
  try {
    if (options.params) {
      if (!source.info.params) throw Error(ErrorCode::not_found, "the checkpoint has no parameters");
      check_params(optimizer, source);
      // Once before anything is changed; planes are read twice by the optimizer.
      for (const auto& [name, entry] : source.info.state.tensors) source.verify(name);
    }
    const Settings& own = optimizer.settings();
    const bool alike = source.info.state_format == own.state && source.info.weight_format == own.weights;
    if (alike || optimizer.tensor_count() == 0) {
      optimizer.load_state_dict(source.info.state, source.reader(), [&] {
        if (options.params) read_params(optimizer, source);
      });
    } else {
      load_converted(optimizer, source, options);
    }
  } catch (const Error& error) {
    throw Error(error.code(), printable(path.native()) + ": " + error.what());
  }
  return std::move(source.info);
}

}  // namespace adamant
