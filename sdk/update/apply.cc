#include "sdk/update/apply.h"

#include <cstring>
#include <new>

#include "schema/delta.h"
#include "schema/integrity.h"
#include "sdk/base/error.h"
#include "sdk/update/files.h"
#include "xxhash.h"

namespace handpick {
namespace {

// What is allocated.
struct Work {
  static constexpr size_t kPiece = 60 * 1024;

  uint8_t delta[kPiece];
  uint8_t copied[kPiece];
  uint8_t written[kPiece];
  XXH3_state_t hash;
};
static_assert(sizeof(Work) <= HP_UPDATE_MEMORY, "what the header says");

hp_status Damaged(const char* path, const char* what, hp_error* error) {
  return Fail(error, HP_NOT_A_DELTA, "delta '%s' is damaged: %s", path, what);
}

hp_status HashOf(const OpenFile& file, uint64_t size, void* buffer, size_t buffer_size,
                 XXH3_state_t* state, uint64_t* hash, hp_error* error) {
  XXH3_64bits_reset(state);
  for (uint64_t at = 0; at < size;) {
    const size_t piece = static_cast<size_t>(size - at < buffer_size ? size - at : buffer_size);
    HP_TRY(file.ReadAt(at, buffer, piece, error));
    XXH3_64bits_update(state, buffer, piece);
    at += piece;
  }
  *hash = XXH3_64bits_digest(state);
  return HP_OK;
}

// The delta's bytes behind the header, read in pieces.
class DeltaReader {
 public:
  DeltaReader(const OpenFile& file, uint64_t size, Work* work)
      : file_(file), size_(size), work_(work) {}

  hp_status Number(uint64_t* number, hp_error* error) {
    *number = 0;
    for (size_t i = 0; i < schema::kMaxDeltaNumber; ++i) {
      uint8_t byte;
      HP_TRY(Read(&byte, 1, error));
      *number |= static_cast<uint64_t>(byte & 127) << (7 * i);
      if (byte < 128) return HP_OK;
    }
    return Damaged(file_.path(), "a number has no end", error);
  }

  hp_status Read(uint8_t* to, size_t size, hp_error* error) {
    while (size > 0) {
      if (at_ == filled_) HP_TRY(Fill(error));
      const size_t some = size < filled_ - at_ ? size : filled_ - at_;
      std::memcpy(to, work_->delta + at_, some);
      at_ += some;
      to += some;
      size -= some;
    }
    return HP_OK;
  }

  bool AtEnd() const { return at_ == filled_ && offset_ == size_; }

 private:
  hp_status Fill(hp_error* error) {
    const uint64_t left = size_ - offset_;
    if (left == 0) return Damaged(file_.path(), "it ends too early", error);
    filled_ = static_cast<size_t>(left < Work::kPiece ? left : Work::kPiece);
    at_ = 0;
    HP_TRY(file_.ReadAt(offset_, work_->delta, filled_, error));
    offset_ += filled_;
    return HP_OK;
  }

  const OpenFile& file_;
  const uint64_t size_;
  Work* work_;
  uint64_t offset_ = sizeof(schema::DeltaHeader);
  size_t at_ = 0;
  size_t filled_ = 0;
};

// The new file, written in pieces and hashed on the way.
class NewFile {
 public:
  NewFile(OpenFile* file, Work* work) : file_(*file), work_(work) {
    XXH3_64bits_reset(&work_->hash);
  }

  // Room for more, of `size` bytes at least and at most `most`.
  hp_status Room(uint64_t most, uint8_t** to, size_t* size, hp_error* error) {
    if (filled_ == Work::kPiece) HP_TRY(Flush(error));
    *to = work_->written + filled_;
    const size_t left = Work::kPiece - filled_;
    *size = static_cast<size_t>(most < left ? most : left);
    return HP_OK;
  }
  void Took(size_t size) { filled_ += size; }

  hp_status Flush(hp_error* error) {
    XXH3_64bits_update(&work_->hash, work_->written, filled_);
    HP_TRY(file_.Write(work_->written, filled_, error));
    filled_ = 0;
    return HP_OK;
  }
  uint64_t Hash() const { return XXH3_64bits_digest(&work_->hash); }

 private:
  OpenFile& file_;
  Work* work_;
  size_t filled_ = 0;
};

hp_status Apply(const OpenFile& old_file, const OpenFile& delta, const schema::DeltaHeader& header,
                const hp_update_options& options, Work* work, OpenFile* partial, hp_error* error) {
  DeltaReader reader(delta, header.delta_size, work);
  NewFile out(partial, work);
  uint64_t done = 0;
  uint64_t old_at = 0;
  while (done < header.new_size) {
    uint64_t distance, copied, added;
    HP_TRY(reader.Number(&distance, error));
    HP_TRY(reader.Number(&copied, error));
    HP_TRY(reader.Number(&added, error));
    const uint64_t from = old_at + static_cast<uint64_t>(schema::DistanceOf(distance));
    const uint64_t left = header.new_size - done;
    if (copied > left || added > left - copied || copied + added == 0) {
      return Damaged(delta.path(), "a step goes beyond the new bundle", error);
    }
    if (from > header.old_size || copied > header.old_size - from) {
      return Damaged(delta.path(), "a step copies what the old bundle does not have", error);
    }
    for (uint64_t at = 0; at < copied;) {
      uint8_t* to;
      size_t size;
      HP_TRY(out.Room(copied - at, &to, &size, error));
      HP_TRY(old_file.ReadAt(from + at, to, size, error));
      out.Took(size);
      at += size;
    }
    for (uint64_t at = 0; at < added;) {
      uint8_t* to;
      size_t size;
      HP_TRY(out.Room(added - at, &to, &size, error));
      HP_TRY(reader.Read(to, size, error));
      out.Took(size);
      at += size;
    }
    old_at = from + copied;
    const uint64_t before = done;
    done += copied + added;
    // Not for every row.
    if (options.progress != nullptr &&
        (done == header.new_size || done / Work::kPiece != before / Work::kPiece)) {
      options.progress(options.progress_opaque, done, header.new_size);
    }
  }
  if (!reader.AtEnd()) return Damaged(delta.path(), "it goes on behind its end", error);
  HP_TRY(out.Flush(error));
  if (out.Hash() != header.new_xxh3) {
    return Damaged(delta.path(), "what it makes is not the bundle that it was made for", error);
  }
  return partial->Sync(error);
}

hp_status Check(const OpenFile& old_file, const OpenFile& delta, schema::DeltaHeader* header,
                Work* work, hp_error* error) {
  uint64_t delta_size, old_size;
  HP_TRY(delta.Size(&delta_size, error));
  if (delta_size < sizeof(*header)) {
    return Fail(error, HP_NOT_A_DELTA, "'%s' is no delta: it has %llu bytes", delta.path(),
                static_cast<unsigned long long>(delta_size));
  }
  HP_TRY(delta.ReadAt(0, header, sizeof(*header), error));
  if (std::memcmp(header->magic, schema::kDeltaMagic, sizeof(header->magic)) != 0) {
    return Fail(error, HP_NOT_A_DELTA, "'%s' is no delta: it does not begin as one", delta.path());
  }
  if (header->delta_size != delta_size) {
    return Fail(error, HP_NOT_A_DELTA, "delta '%s' has %llu bytes, and was written with %llu",
                delta.path(), static_cast<unsigned long long>(delta_size),
                static_cast<unsigned long long>(header->delta_size));
  }
  if (header->new_size > schema::kMaxDeltaFile || header->old_size > schema::kMaxDeltaFile) {
    return Damaged(delta.path(), "its bundles are larger than any", error);
  }
  HP_TRY(old_file.Size(&old_size, error));
  uint64_t hash = 0;
  if (old_size == header->old_size) {
    HP_TRY(
        HashOf(old_file, old_size, work->copied, sizeof(work->copied), &work->hash, &hash, error));
  }
  if (old_size != header->old_size || hash != header->old_xxh3) {
    return Fail(error, HP_WRONG_OLD_BUNDLE,
                "delta '%s' was made for another bundle than '%s': one of %llu bytes with XXH3 "
                "%016llx",
                delta.path(), old_file.path(), static_cast<unsigned long long>(header->old_size),
                static_cast<unsigned long long>(header->old_xxh3));
  }
  return HP_OK;
}

hp_status ApplyWith(Work* work, const char* old_path, const char* delta_path, const char* new_path,
                    const hp_update_options& options, hp_error* error) {
  PathText partial_path;
  if (!partial_path.Set(new_path, ".partial")) {
    return Fail(error, HP_INVALID_ARGUMENT, "new_path has more than %zu bytes", PathText::kSize);
  }
  OpenFile old_file, delta, partial;
  HP_TRY(old_file.OpenToRead(old_path, error));
  HP_TRY(delta.OpenToRead(delta_path, error));
  schema::DeltaHeader header;
  HP_TRY(Check(old_file, delta, &header, work, error));
  HP_TRY(partial.CreateNew(partial_path.text(), error));
  hp_status status = Apply(old_file, delta, header, options, work, &partial, error);
  partial.Close();
  if (status == HP_OK) status = RenameFile(partial_path.text(), new_path, error);
  if (status != HP_OK) RemoveFile(partial_path.text());
  return status;
}

}  // namespace

hp_status ApplyDelta(const char* old_path, const char* delta_path, const char* new_path,
                     const hp_update_options& options, hp_error* error) {
  const hp_allocator& allocator = *options.allocator;
  void* memory = allocator.allocate(allocator.opaque, HP_UPDATE_MEMORY, HP_ALIGNMENT);
  if (memory == nullptr) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for %d bytes", HP_UPDATE_MEMORY);
  }
  Work* work = new (memory) Work;
  const hp_status status = ApplyWith(work, old_path, delta_path, new_path, options, error);
  allocator.release(allocator.opaque, memory, HP_UPDATE_MEMORY);
  return status;
}

hp_status HashFile(const char* path, void* buffer, size_t size, uint64_t* hash, hp_error* error) {
  OpenFile file;
  HP_TRY(file.OpenToRead(path, error));
  uint64_t bytes;
  HP_TRY(file.Size(&bytes, error));
  schema::StackHashState state;
  return HashOf(file, bytes, buffer, size, state.get(), hash, error);
}

}  // namespace handpick
