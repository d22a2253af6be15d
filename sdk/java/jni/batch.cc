#include "sdk/java/jni/batch.h"

namespace handpick {
namespace java {
namespace {

constexpr jint kHeader = 4;  // Batch.HEADER

jclass ArrayOf(jint type) {
  switch (type) {
    case HP_INT64:
      return classes.longs;
    case HP_FLOAT32:
      return classes.floats;
    default:
      return classes.bytes;
  }
}

}  // namespace

bool Elements::Find(JNIEnv* env, jobject object, jclass kind, uint64_t first, uint64_t count) {
  array_ = nullptr;
  memory_ = nullptr;
  first_ = first;
  length_ = 0;
  if (object == nullptr) return false;
  if (env->IsInstanceOf(object, kind) == JNI_TRUE) {
    array_ = static_cast<jarray>(object);
    length_ = static_cast<size_t>(env->GetArrayLength(array_));
    return first + count <= length_;
  }
  if (env->IsInstanceOf(object, classes.buffer) == JNI_FALSE) return false;
  const jlong capacity = env->GetDirectBufferCapacity(object);
  memory_ = env->GetDirectBufferAddress(object);
  return memory_ != nullptr && capacity >= 0 && first + count <= static_cast<uint64_t>(capacity);
}

bool Batch::Begin(const BatchArrays& arrays, uint64_t more) {
  const uint64_t count = static_cast<uint64_t>(arrays.columns);
  if (arrays.columns > env_->GetArrayLength(arrays.header) / kHeader ||
      arrays.columns > env_->GetArrayLength(arrays.values) ||
      arrays.columns > env_->GetArrayLength(arrays.ends) ||
      arrays.columns > env_->GetArrayLength(arrays.splits)) {
    Throw(env_, HP_INVALID_ARGUMENT, "the batch was changed during a call");
    return false;
  }
  // Strings are counted first: one block for all.
  uint64_t strings = 0;
  for (jint i = 0; i < arrays.columns; ++i) {
    jint header[kHeader];
    env_->GetIntArrayRegion(arrays.header, i * kHeader, kHeader, header);
    if (header[1] == HP_STRING) strings += static_cast<uint32_t>(header[3]);
  }
  // Each column's strings are rounded up by themselves.
  const uint64_t bytes = Scratch::Bytes<Column>(count) + Scratch::Bytes<hp_column>(count) +
                         Scratch::Bytes<hp_string>(strings) + 16 * count + more;
  if (!session_->scratch.Reserve(env_, bytes)) return false;
  columns_ = session_->scratch.Take<Column>(count);
  out_ = session_->scratch.Take<hp_column>(count);
  if (env_->PushLocalFrame(3 * arrays.columns + 4) != 0) return false;
  framed_ = true;
  for (jint i = 0; i < arrays.columns; ++i) {
    Column* const column = &columns_[i];
    if (!Find(arrays, i, column)) {
      Throw(env_, HP_INVALID_ARGUMENT, "a column has fewer values than the batch has rows");
      return false;
    }
    column->strings = nullptr;
    if (column->header[1] == HP_STRING) {
      const uint64_t of_column = static_cast<uint32_t>(column->header[3]);
      if (of_column > strings) {
        Throw(env_, HP_INVALID_ARGUMENT, "the batch was changed during a call");
        return false;
      }
      strings -= of_column;
      column->strings = session_->scratch.Take<hp_string>(of_column);
    }
  }
  batch_.columns = out_;
  batch_.column_count = static_cast<size_t>(arrays.columns);
  batch_.row_count = static_cast<size_t>(arrays.rows);
  return true;
}

bool Batch::Find(const BatchArrays& arrays, jint i, Column* column) {
  env_->GetIntArrayRegion(arrays.header, i * kHeader, kHeader, column->header);
  const jint* const header = column->header;
  if (header[2] < 0 || header[3] < 0) return false;
  const jint type = header[1];
  const uint64_t first = static_cast<uint64_t>(header[2]);
  const uint64_t elements = static_cast<uint64_t>(header[3]);
  const jobject ends = env_->GetObjectArrayElement(arrays.ends, i);
  const jobject splits = env_->GetObjectArrayElement(arrays.splits, i);
  column->has_ends = type == HP_STRING;
  column->has_splits = splits != nullptr;
  if (!column->values.Find(env_, env_->GetObjectArrayElement(arrays.values, i), ArrayOf(type),
                           first, type == HP_STRING ? 0 : elements)) {
    return false;
  }
  if (column->has_ends && !column->ends.Find(env_, ends, classes.ints, 0, elements)) return false;
  const uint64_t rows = static_cast<uint64_t>(arrays.rows);
  if (column->has_splits) return column->splits.Find(env_, splits, classes.ints, 0, rows + 1);
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  if (hp_model_get_feature(session_->model, static_cast<uint32_t>(header[0]), &info) != HP_OK) {
    return false;
  }
  const uint64_t each = info.type == HP_FEATURE_NUMERIC ? info.dimension : 1;
  return rows * each <= elements;
}

bool Batch::Pin() {
  for (; static_cast<size_t>(pinned_) < batch_.column_count; ++pinned_) {
    if (PinColumn(&columns_[pinned_], &out_[pinned_])) continue;
    ++pinned_;  // Some of its arrays may be.
    return false;
  }
  return true;
}

bool Batch::PinColumn(Column* column, hp_column* out) {
  constexpr const char* kNoMemory = "no memory for a column's values";
  const jint type = column->header[1];
  *out = hp_column{};
  out->feature = static_cast<uint32_t>(column->header[0]);
  out->type = static_cast<hp_value_type>(type);
  failure_ = kNoMemory;
  if (type == HP_INT64) {
    out->integers = column->values.Pin<int64_t>(env_);
    if (out->integers == nullptr) return false;
  } else if (type == HP_FLOAT32) {
    out->numbers = column->values.Pin<float>(env_);
    if (out->numbers == nullptr) return false;
  } else {
    const char* const text = column->values.Pin<char>(env_);
    const jint* const ends = column->ends.Pin<jint>(env_);
    if (text == nullptr || ends == nullptr) return false;
    if (!ToStrings(text, column->values.length(), ends, static_cast<size_t>(column->header[3]),
                   column->strings)) {
      failure_ = "the batch was changed during a call";
      return false;
    }
    out->strings = column->strings;
  }
  if (column->has_splits) {
    out->row_splits = column->splits.Pin<uint32_t>(env_);
    if (out->row_splits == nullptr) return false;
    // The C API checks that they never fall.
    if (out->row_splits[batch_.row_count] > static_cast<uint32_t>(column->header[3])) {
      failure_ = "a multi-valued column has splits behind its values";
      return false;
    }
  }
  failure_ = nullptr;
  return true;
}

void Batch::Unpin() {
  for (jint i = 0; i < pinned_; ++i) {
    columns_[i].values.Unpin(env_, JNI_ABORT);
    if (columns_[i].has_ends) columns_[i].ends.Unpin(env_, JNI_ABORT);
    if (columns_[i].has_splits) columns_[i].splits.Unpin(env_, JNI_ABORT);
  }
  pinned_ = 0;
  if (failure_ != nullptr) Throw(env_, HP_INVALID_ARGUMENT, failure_);
}

Batch::~Batch() {
  if (framed_) env_->PopLocalFrame(nullptr);
}

}  // namespace java
}  // namespace handpick
