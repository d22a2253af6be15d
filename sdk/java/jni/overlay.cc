// Native methods of dev.handpick.Overlay.
#include <stdlib.h>

#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {
namespace {

enum Change { kAdd = 0, kRemove = 1, kHide = 2, kShow = 3 };

jlong New(JNIEnv* env, jclass, jlong model_address, jint max_items) {
  const hp_model* const model = FromAddress<hp_model>(model_address);
  size_t bytes = 0;
  hp_error error;
  if (!Check(env,
             hp_recall_overlay_memory_size(model, static_cast<uint32_t>(max_items), &bytes, &error),
             &error)) {
    return 0;
  }
  void* memory = nullptr;
  Overlay* const overlay = static_cast<Overlay*>(calloc(1, sizeof(Overlay)));
  if (overlay == nullptr || posix_memalign(&memory, HP_ALIGNMENT, bytes) != 0) {
    free(overlay);
    Throw(env, HP_OUT_OF_MEMORY, "no memory for an overlay");
    return 0;
  }
  overlay->memory = memory;
  const hp_status status = hp_recall_overlay_create(model, static_cast<uint32_t>(max_items), memory,
                                                    bytes, &overlay->overlay, &error);
  if (!Check(env, status, &error)) {
    free(memory);
    free(overlay);
    return 0;
  }
  return ToAddress(overlay);
}

void Free(JNIEnv*, jclass, jlong address) {
  Overlay* const overlay = FromAddress<Overlay>(address);
  free(overlay->memory);
  free(overlay);
}

hp_status Apply(hp_recall_overlay* overlay, jint what, const hp_item_id* id, const float* vector,
                size_t dimension, hp_error* error) {
  switch (what) {
    case kAdd:
      return hp_recall_overlay_add(overlay, id, vector, dimension, error);
    case kRemove:
      return hp_recall_overlay_remove(overlay, id, error);
    case kHide:
      return hp_recall_overlay_hide(overlay, id, error);
    default:
      return hp_recall_overlay_show(overlay, id, error);
  }
}

void ChangeItem(JNIEnv* env, jobject, jlong address, jint what, jlong number, jbyteArray text,
                jfloatArray vector) {
  hp_item_id id = {number, {nullptr, 0}};
  jbyte* bytes = nullptr;
  jfloat* numbers = nullptr;
  size_t dimension = 0;
  if (text != nullptr) {
    bytes = env->GetByteArrayElements(text, nullptr);
    if (bytes == nullptr) return;
    id.string.data = reinterpret_cast<const char*>(bytes);
    id.string.size = static_cast<size_t>(env->GetArrayLength(text));
  }
  if (vector != nullptr) {
    numbers = env->GetFloatArrayElements(vector, nullptr);
    dimension = static_cast<size_t>(env->GetArrayLength(vector));
  }
  if (vector == nullptr || numbers != nullptr) {
    hp_error error;
    const hp_status status =
        Apply(FromAddress<Overlay>(address)->overlay, what, &id, numbers, dimension, &error);
    Check(env, status, &error);
  }
  // Allowed while an exception waits.
  if (numbers != nullptr) env->ReleaseFloatArrayElements(vector, numbers, JNI_ABORT);
  if (bytes != nullptr) env->ReleaseByteArrayElements(text, bytes, JNI_ABORT);
}

}  // namespace

bool RegisterOverlay(JNIEnv* env) {
  const JNINativeMethod methods[] = {
      Method("nativeNew", "(JI)J", &New),
      Method("nativeFree", "(J)V", &Free),
      Method("nativeChange", "(JIJ[B[F)V", &ChangeItem),
  };
  return Register(env, "dev/handpick/Overlay", methods);
}

}  // namespace java
}  // namespace handpick
