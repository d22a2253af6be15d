// What the Java classes and the C API have between them: addresses as numbers, errors as
// exceptions, memory for a call.
#ifndef HANDPICK_SDK_JAVA_JNI_JAVA_H_
#define HANDPICK_SDK_JAVA_JNI_JAVA_H_

#include <jni.h>

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"

namespace handpick {
namespace java {

// Classes and methods of Java that the library asks for, found once.
struct Classes {
  jclass exception;
  jmethodID exception_of;  // static HandpickException of(int, byte[])
  jclass session;
  jmethodID session_accepts;  // static boolean accepts(ItemPredicate, int, long, byte[])
  jclass updates;
  jmethodID updates_progress;  // static void progress(Progress, long, long)
  jclass object;
  jclass bytes;
  jclass ints;
  jclass longs;
  jclass floats;
  jclass buffer;
};

extern Classes classes;

template <typename T>
T* FromAddress(jlong address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

inline jlong ToAddress(const void* pointer) {
  return static_cast<jlong>(reinterpret_cast<uintptr_t>(pointer));
}

// Leaves a HandpickException for Java.
void Throw(JNIEnv* env, hp_status status, const char* message);

// The same, with what the C API said; nothing for HP_OK. Returns whether all is well.
bool Check(JNIEnv* env, hp_status status, const hp_error* error);

// UTF-8 as byte[]; null for null, and when there is no memory (an exception waits then).
jbyteArray ToBytes(JNIEnv* env, const char* data, size_t size);
jbyteArray ToBytes(JNIEnv* env, const char* text);

// The bytes of an array of Java, for the time of a call.
class Bytes {
 public:
  // `array` may be null.
  Bytes(JNIEnv* env, jbyteArray array) : env_(env), array_(array) {
    if (array == nullptr) return;
    size_ = static_cast<size_t>(env->GetArrayLength(array));
    data_ = env->GetByteArrayElements(array, nullptr);
  }
  ~Bytes() {
    // Allowed while an exception waits.
    if (data_ != nullptr) env_->ReleaseByteArrayElements(array_, data_, JNI_ABORT);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  // There is no memory: an exception waits.
  bool failed() const { return array_ != nullptr && data_ == nullptr; }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(data_); }
  size_t size() const { return size_; }
  // Of bytes that end with a zero.
  const char* text() const { return reinterpret_cast<const char*>(data_); }

 private:
  JNIEnv* const env_;
  const jbyteArray array_;
  jbyte* data_ = nullptr;
  size_t size_ = 0;
};

// One block, used again by the next call. Pieces are taken in order and aligned to 16 bytes.
class Scratch {
 public:
  // What `count` elements take of a block.
  template <typename T>
  static uint64_t Bytes(uint64_t count) {
    return (count * sizeof(T) + 15) & ~uint64_t{15};
  }

  // Makes room for pieces of so many bytes together; those that were taken before are gone. Throws
  // in Java and returns false when there is no memory.
  bool Reserve(JNIEnv* env, uint64_t bytes);

  template <typename T>
  T* Take(uint64_t count) {
    T* const piece = reinterpret_cast<T*>(memory_ + used_);
    used_ += static_cast<size_t>(Bytes<T>(count));
    return piece;
  }

  void Free();

 private:
  unsigned char* memory_;
  size_t size_;
  size_t used_;
};

struct Session {
  const hp_model* model;
  hp_session* session;
  Scratch scratch;
};

struct Overlay {
  hp_recall_overlay* overlay;
  void* memory;
};

// Strings one behind another, and where each ends, as the C API takes them. False if they
// contradict themselves.
bool ToStrings(const char* text, size_t text_size, const jint* ends, size_t count,
               hp_string* strings);

// The options that SessionOptions.pack() lists. False: an exception waits.
bool ToSessionOptions(JNIEnv* env, jintArray numbers, hp_session_options* options);

template <typename Function>
JNINativeMethod Method(const char* name, const char* signature, Function* function) {
  // jni.h has char* for strings that nobody writes.
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

template <size_t kCount>
bool Register(JNIEnv* env, const char* class_name, const JNINativeMethod (&methods)[kCount]) {
  const jclass found = env->FindClass(class_name);
  return found != nullptr &&
         env->RegisterNatives(found, methods, static_cast<jint>(kCount)) == JNI_OK;
}

// Makes the native methods of a class known. False: an exception waits.
bool RegisterModel(JNIEnv* env);
bool RegisterSession(JNIEnv* env);
bool RegisterOverlay(JNIEnv* env);
bool RegisterCheck(JNIEnv* env);
bool RegisterUpdates(JNIEnv* env);

}  // namespace java
}  // namespace handpick

#endif  // HANDPICK_SDK_JAVA_JNI_JAVA_H_
