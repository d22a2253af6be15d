// Native methods of dev.handpick.Check.
#include "handpick/diagnostics.h"
#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {
namespace {

jlong New(JNIEnv* env, jclass, jlong model_address, jbyteArray keys) {
  const hp_model* const model = FromAddress<hp_model>(model_address);
  const Bytes public_keys(env, keys);
  if (public_keys.failed()) return 0;
  hp_check* check = nullptr;
  hp_error error;
  const hp_status status =
      keys == nullptr
          ? hp_check_new(model, &check, &error)
          : hp_check_new_signed(model, public_keys.data(), public_keys.size(), &check, &error);
  return Check(env, status, &error) ? ToAddress(check) : 0;
}

void Free(JNIEnv*, jclass, jlong address) { hp_check_free(FromAddress<hp_check>(address)); }

jboolean Next(JNIEnv* env, jobject, jlong address, jlong bytes) {
  int done = 0;
  hp_error error;
  const hp_status status =
      hp_check_next(FromAddress<hp_check>(address), static_cast<uint64_t>(bytes), &done, &error);
  return Check(env, status, &error) && done != 0 ? JNI_TRUE : JNI_FALSE;
}

}  // namespace

bool RegisterCheck(JNIEnv* env) {
  const JNINativeMethod methods[] = {
      Method("nativeNew", "(J[B)J", &New),
      Method("nativeFree", "(J)V", &Free),
      Method("nativeNext", "(JJ)Z", &Next),
  };
  return Register(env, "dev/handpick/Check", methods);
}

}  // namespace java
}  // namespace handpick
