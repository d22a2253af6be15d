#include "sdk/java/jni/java.h"

#include <stdlib.h>
#include <string.h>

namespace handpick {
namespace java {

Classes classes;

namespace {

// Kept until the process ends: a Java library is not unloaded before its classes are.
bool Find(JNIEnv* env, const char* name, jclass* found) {
  const jclass local = env->FindClass(name);
  if (local == nullptr) return false;
  *found = static_cast<jclass>(env->NewGlobalRef(local));
  env->DeleteLocalRef(local);
  return *found != nullptr;
}

bool FindClasses(JNIEnv* env) {
  if (!Find(env, "dev/handpick/HandpickException", &classes.exception) ||
      !Find(env, "dev/handpick/Session", &classes.session) ||
      !Find(env, "dev/handpick/Updates", &classes.updates) ||
      !Find(env, "java/lang/Object", &classes.object) || !Find(env, "[B", &classes.bytes) ||
      !Find(env, "[I", &classes.ints) || !Find(env, "[J", &classes.longs) ||
      !Find(env, "[F", &classes.floats) || !Find(env, "java/nio/Buffer", &classes.buffer)) {
    return false;
  }
  classes.exception_of =
      env->GetStaticMethodID(classes.exception, "of", "(I[B)Ldev/handpick/HandpickException;");
  if (classes.exception_of == nullptr) return false;
  classes.session_accepts =
      env->GetStaticMethodID(classes.session, "accepts", "(Ldev/handpick/ItemPredicate;IJ[B)Z");
  if (classes.session_accepts == nullptr) return false;
  classes.updates_progress =
      env->GetStaticMethodID(classes.updates, "progress", "(Ldev/handpick/Progress;JJ)V");
  return classes.updates_progress != nullptr;
}

}  // namespace

void Throw(JNIEnv* env, hp_status status, const char* message) {
  if (env->ExceptionCheck() == JNI_TRUE) return;
  const jbyteArray bytes = ToBytes(env, message);
  if (bytes == nullptr) return;
  const jobject exception = env->CallStaticObjectMethod(classes.exception, classes.exception_of,
                                                        static_cast<jint>(status), bytes);
  if (exception != nullptr && env->ExceptionCheck() == JNI_FALSE) {
    env->Throw(static_cast<jthrowable>(exception));
  }
}

bool Check(JNIEnv* env, hp_status status, const hp_error* error) {
  if (status == HP_OK) return true;
  const bool said = error != nullptr && error->status == status && error->message[0] != '\0';
  Throw(env, status, said ? error->message : hp_status_text(status));
  return false;
}

jbyteArray ToBytes(JNIEnv* env, const char* data, size_t size) {
  if (data == nullptr) return nullptr;
  const jbyteArray bytes = env->NewByteArray(static_cast<jsize>(size));
  if (bytes == nullptr) return nullptr;
  env->SetByteArrayRegion(bytes, 0, static_cast<jsize>(size), reinterpret_cast<const jbyte*>(data));
  return bytes;
}

jbyteArray ToBytes(JNIEnv* env, const char* text) {
  return text == nullptr ? nullptr : ToBytes(env, text, strlen(text));
}

bool Scratch::Reserve(JNIEnv* env, uint64_t bytes) {
  used_ = 0;
  if (bytes <= size_) return true;
  // A half more, so that growing batches do not allocate each time.
  const uint64_t wanted = bytes + bytes / 2;
  if (wanted < bytes || wanted > SIZE_MAX / 2) {
    Throw(env, HP_OUT_OF_MEMORY, "the batch has too many columns or strings");
    return false;
  }
  free(memory_);
  size_ = 0;
  memory_ = static_cast<unsigned char*>(malloc(static_cast<size_t>(wanted)));
  if (memory_ == nullptr) {
    Throw(env, HP_OUT_OF_MEMORY, "no memory for a batch's columns and strings");
    return false;
  }
  size_ = static_cast<size_t>(wanted);
  return true;
}

void Scratch::Free() {
  free(memory_);
  memory_ = nullptr;
  size_ = 0;
}

bool ToStrings(const char* text, size_t text_size, const jint* ends, size_t count,
               hp_string* strings) {
  size_t begin = 0;
  for (size_t i = 0; i < count; ++i) {
    if (ends[i] < 0) return false;
    const size_t end = static_cast<size_t>(ends[i]);
    if (end < begin || end > text_size) return false;
    strings[i].data = text + begin;
    strings[i].size = end - begin;
    begin = end;
  }
  return true;
}

bool ToSessionOptions(JNIEnv* env, jintArray numbers, hp_session_options* options) {
  jint all[4];
  env->GetIntArrayRegion(numbers, 0, 4, all);
  if (env->ExceptionCheck() == JNI_TRUE) return false;
  *options = HP_SESSION_OPTIONS_INIT;
  options->tile = static_cast<uint32_t>(all[0]);
  options->recall_k = static_cast<uint32_t>(all[1]);
  options->recall_interests = static_cast<uint32_t>(all[2]);
  options->recall_probes = static_cast<uint32_t>(all[3]);
  return true;
}

}  // namespace java
}  // namespace handpick

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  void* env = nullptr;
  if (vm->GetEnv(&env, JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  JNIEnv* const java = static_cast<JNIEnv*>(env);
  const bool ready = handpick::java::FindClasses(java) && handpick::java::RegisterModel(java) &&
                     handpick::java::RegisterSession(java) &&
                     handpick::java::RegisterOverlay(java) && handpick::java::RegisterCheck(java) &&
                     handpick::java::RegisterUpdates(java);
  return ready ? JNI_VERSION_1_6 : JNI_ERR;
}
