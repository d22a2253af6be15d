// Native methods of dev.handpick.Model.
#include <stdint.h>

#include "handpick/diagnostics.h"
#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {
namespace {

constexpr jint kCopy = 1;  // OpenOptions.COPY

hp_open_options Options(jint flags, const Bytes& keys) {
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  if ((flags & kCopy) != 0) options.flags = HP_OPEN_COPY;
  options.public_keys = keys.data();
  options.public_keys_size = keys.size();
  return options;
}

jlong OpenFile(JNIEnv* env, jclass, jbyteArray path, jint flags, jbyteArray keys) {
  const Bytes bytes(env, path);
  if (bytes.failed()) return 0;
  const Bytes public_keys(env, keys);
  if (public_keys.failed()) return 0;
  const hp_open_options options = Options(flags, public_keys);
  hp_model* model = nullptr;
  hp_error error;
  const hp_status status = hp_model_open_file(bytes.text(), &options, &model, &error);
  return Check(env, status, &error) ? ToAddress(model) : 0;
}

jlong OpenFd(JNIEnv* env, jclass, jint fd, jlong offset, jlong length, jint flags,
             jbyteArray keys) {
  const Bytes public_keys(env, keys);
  if (public_keys.failed()) return 0;
  const hp_open_options options = Options(flags, public_keys);
  hp_model* model = nullptr;
  hp_error error;
  const hp_status status = hp_model_open_fd(fd, offset, length, &options, &model, &error);
  return Check(env, status, &error) ? ToAddress(model) : 0;
}

jlong OpenBuffer(JNIEnv* env, jclass, jobject buffer, jint offset, jint size, jint flags,
                 jbyteArray keys) {
  const char* const data = static_cast<const char*>(env->GetDirectBufferAddress(buffer));
  if (data == nullptr) {
    Throw(env, HP_INVALID_ARGUMENT, "the buffer has no address");
    return 0;
  }
  const Bytes public_keys(env, keys);
  if (public_keys.failed()) return 0;
  const hp_open_options options = Options(flags, public_keys);
  hp_model* model = nullptr;
  hp_error error;
  const hp_status status =
      hp_model_open_buffer(data + offset, static_cast<size_t>(size), &options, &model, &error);
  return Check(env, status, &error) ? ToAddress(model) : 0;
}

void Close(JNIEnv*, jclass, jlong model) { hp_model_close(FromAddress<hp_model>(model)); }

jbyteArray Version(JNIEnv* env, jclass) {
  hp_build_info info = HP_BUILD_INFO_INIT;
  hp_get_build_info(&info);
  return ToBytes(env, info.version);
}

void SetString(JNIEnv* env, jobjectArray strings, jsize i, const char* text) {
  if (text == nullptr || env->ExceptionCheck() == JNI_TRUE) return;
  const jbyteArray bytes = ToBytes(env, text);
  if (bytes == nullptr) return;
  env->SetObjectArrayElement(strings, i, bytes);
  env->DeleteLocalRef(bytes);
}

template <size_t kCount>
void SetNumbers(JNIEnv* env, jlongArray array, const jlong (&numbers)[kCount]) {
  env->SetLongArrayRegion(array, 0, static_cast<jsize>(kCount), numbers);
}

void Info(JNIEnv* env, jclass, jlong model, jlongArray numbers, jobjectArray strings) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  if (!Check(env, hp_model_get_info(FromAddress<hp_model>(model), &info), nullptr)) return;
  const jlong all[] = {
      info.format_major,
      info.format_minor,
      info.precision,
      info.feature_count,
      info.max_history,
      info.tile,
      info.golden_count,
      info.step_count,
      info.has_model,
      static_cast<jlong>(info.catalog_items),
      static_cast<jlong>(info.recall_items),
      static_cast<jlong>(info.bundle_bytes),
      static_cast<jlong>(info.table_bytes),
      static_cast<jlong>(info.dense_bytes),
      static_cast<jlong>(info.session_bytes),
      static_cast<jlong>(info.model_bytes),
      static_cast<jlong>(info.engine_bytes),
      static_cast<jlong>(info.output_count),
      static_cast<jlong>(info.copied_bytes),
      static_cast<jlong>(info.content_hash),
      static_cast<jlong>(info.key_id),
  };
  SetNumbers(env, numbers, all);
  SetString(env, strings, 0, info.model_name);
  SetString(env, strings, 1, info.model_version);
  SetString(env, strings, 2, info.producer);
}

void Feature(JNIEnv* env, jclass, jlong model, jint feature, jlongArray numbers,
             jobjectArray strings) {
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  const hp_status status =
      hp_model_get_feature(FromAddress<hp_model>(model), static_cast<uint32_t>(feature), &info);
  if (!Check(env, status, nullptr)) return;
  const jlong all[] = {
      info.side,      info.type,     info.value_types,    info.max_values,
      info.dimension, info.optional, info.is_catalog_key, static_cast<jlong>(info.max_events),
  };
  SetNumbers(env, numbers, all);
  SetString(env, strings, 0, info.name);
  SetString(env, strings, 1, info.sequence);
}

void Output(JNIEnv* env, jclass, jlong model, jint output, jlongArray numbers,
            jobjectArray strings) {
  hp_output_info info = HP_OUTPUT_INFO_INIT;
  const hp_status status =
      hp_model_get_output(FromAddress<hp_model>(model), static_cast<uint32_t>(output), &info);
  if (!Check(env, status, nullptr)) return;
  const jlong all[] = {info.task};
  SetNumbers(env, numbers, all);
  SetString(env, strings, 0, info.name);
}

jboolean RecallInfo(JNIEnv* env, jclass, jlong model, jlongArray numbers, jfloatArray measured) {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  const hp_status status = hp_model_get_recall_info(FromAddress<hp_model>(model), &info);
  if (status == HP_NO_RECALL || !Check(env, status, nullptr)) return JNI_FALSE;
  const jlong all[] = {
      info.metric,          info.dimension,         info.id_type,
      info.history_feature, info.candidate_feature, info.has_user_vector,
      info.probes,          info.measured_k,        static_cast<jlong>(info.item_count),
  };
  SetNumbers(env, numbers, all);
  env->SetFloatArrayRegion(measured, 0, 1, &info.measured_recall);
  return JNI_TRUE;
}

jlong SessionBytes(JNIEnv* env, jclass, jlong model, jintArray numbers) {
  hp_session_options options;
  if (!ToSessionOptions(env, numbers, &options)) return 0;
  size_t bytes = 0;
  hp_error error;
  const hp_status status =
      hp_session_memory_size(FromAddress<hp_model>(model), &options, &bytes, &error);
  return Check(env, status, &error) ? static_cast<jlong>(bytes) : 0;
}

void CheckHashes(JNIEnv* env, jclass, jlong model) {
  hp_error error;
  Check(env, hp_model_check(FromAddress<hp_model>(model), &error), &error);
}

}  // namespace

bool RegisterModel(JNIEnv* env) {
  const JNINativeMethod methods[] = {
      Method("nativeOpenFile", "([BI[B)J", &OpenFile),
      Method("nativeOpenFd", "(IJJI[B)J", &OpenFd),
      Method("nativeOpenBuffer", "(Ljava/nio/ByteBuffer;III[B)J", &OpenBuffer),
      Method("nativeClose", "(J)V", &Close),
      Method("nativeVersion", "()[B", &Version),
      Method("nativeInfo", "(J[J[[B)V", &Info),
      Method("nativeFeature", "(JI[J[[B)V", &Feature),
      Method("nativeOutput", "(JI[J[[B)V", &Output),
      Method("nativeRecallInfo", "(J[J[F)Z", &RecallInfo),
      Method("nativeSessionBytes", "(J[I)J", &SessionBytes),
      Method("nativeCheck", "(J)V", &CheckHashes),
  };
  return Register(env, "dev/handpick/Model", methods);
}

}  // namespace java
}  // namespace handpick
