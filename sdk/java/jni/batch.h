// A batch of dev.handpick.Batch as an hp_batch, where the values lie.
#ifndef HANDPICK_SDK_JAVA_JNI_BATCH_H_
#define HANDPICK_SDK_JAVA_JNI_BATCH_H_

#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {

// What Batch.finish() made ready.
struct BatchArrays {
  jint columns;
  jint rows;
  jintArray header;     // [columns, 4] feature, type, first, elements
  jobjectArray values;  // [columns] long[], float[], direct buffer; byte[] of strings
  jobjectArray ends;    // [columns] int[], of strings
  jobjectArray splits;  // [columns] int[], of multi-valued features
};

// An array whose elements the C API reads or writes during a call, or a direct buffer.
class Elements {
 public:
  // Remembers it. `kind`: the class that an array must have. False, and nothing in Java: it is
  // neither, or has fewer than first + count elements.
  bool Find(JNIEnv* env, jobject object, jclass kind, uint64_t first, uint64_t count);

  // Where the first element is; null: there is no memory. Nothing but Pin and Unpin may ask Java
  // for anything from the first Pin to the last Unpin.
  template <typename T>
  T* Pin(JNIEnv* env) {
    if (array_ != nullptr) {
      memory_ = env->GetPrimitiveArrayCritical(array_, nullptr);
    }
    return memory_ == nullptr ? nullptr : static_cast<T*>(memory_) + first_;
  }

  // `mode`: JNI_ABORT: nothing was written.
  void Unpin(JNIEnv* env, jint mode) {
    if (array_ == nullptr || memory_ == nullptr) return;
    env->ReleasePrimitiveArrayCritical(array_, memory_, mode);
    memory_ = nullptr;
  }

  size_t length() const { return length_; }

 private:
  jarray array_;  // Null: a direct buffer.
  void* memory_;
  uint64_t first_;
  size_t length_;  // Elements, of an array.
};

// Lives during one call of Java. Begin, [Pin, the C API, Unpin], in this order; throws in Java
// where it fails.
class Batch {
 public:
  Batch(JNIEnv* env, Session* session) : env_(env), session_(session) {}
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Looks at all columns. Then `more` bytes of the session's scratch are left to take. What Java
  // has said of lengths is checked again: an app's other thread may be changing the batch.
  bool Begin(const BatchArrays& arrays, uint64_t more);

  // False, and nothing in Java yet: see Unpin.
  bool Pin();

  // Throws what Pin found.
  void Unpin();

  const hp_batch* get() const { return &batch_; }

 private:
  struct Column {
    Elements values;
    Elements ends;
    Elements splits;
    jint header[4];
    bool has_ends;
    bool has_splits;
    hp_string* strings;
  };

  bool Find(const BatchArrays& arrays, jint i, Column* column);
  bool PinColumn(Column* column, hp_column* out);

  JNIEnv* env_;
  Session* session_;
  bool framed_ = false;  // Local references are in a frame of their own.
  Column* columns_ = nullptr;
  hp_column* out_ = nullptr;
  jint pinned_ = 0;
  const char* failure_ = nullptr;
  hp_batch batch_ = HP_BATCH_INIT;
};

}  // namespace java
}  // namespace handpick

#endif  // HANDPICK_SDK_JAVA_JNI_BATCH_H_
