// Native methods of dev.handpick.Updates and dev.handpick.Store.
#include "handpick/update.h"

#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {
namespace {

struct Progress {
  JNIEnv* env;
  jobject object;
};

// hp_update_options.progress: tells Java.
void Tell(void* opaque, uint64_t done, uint64_t total) {
  const Progress* const progress = static_cast<const Progress*>(opaque);
  JNIEnv* const env = progress->env;
  if (env->ExceptionCheck() == JNI_TRUE) return;
  env->CallStaticVoidMethod(classes.updates, classes.updates_progress, progress->object,
                            static_cast<jlong>(done), static_cast<jlong>(total));
}

void Apply(JNIEnv* env, jclass, jbyteArray old_bundle, jbyteArray delta, jbyteArray new_bundle,
           jobject object) {
  const Bytes old_path(env, old_bundle);
  if (old_path.failed()) return;
  const Bytes delta_path(env, delta);
  if (delta_path.failed()) return;
  const Bytes new_path(env, new_bundle);
  if (new_path.failed()) return;
  Progress progress = {env, object};
  hp_update_options options = HP_UPDATE_OPTIONS_INIT;
  if (object != nullptr) {
    options.progress = &Tell;
    options.progress_opaque = &progress;
  }
  hp_error error;
  Check(env, hp_update_apply(old_path.text(), delta_path.text(), new_path.text(), &options, &error),
        &error);
}

// Calls call(path, options, &error) with a bundle's path and keys.
template <typename Call>
void WithKeys(JNIEnv* env, jbyteArray bundle, jbyteArray keys, const Call& call) {
  const Bytes path(env, bundle);
  if (path.failed()) return;
  const Bytes public_keys(env, keys);
  if (public_keys.failed()) return;
  hp_update_options options = HP_UPDATE_OPTIONS_INIT;
  options.public_keys = public_keys.data();
  options.public_keys_size = public_keys.size();
  hp_error error;
  Check(env, call(path.text(), &options, &error), &error);
}

void Verify(JNIEnv* env, jclass, jbyteArray bundle, jbyteArray keys) {
  WithKeys(env, bundle, keys, &hp_update_verify);
}

jbyteArray Start(JNIEnv* env, jclass, jbyteArray folder, jlongArray numbers) {
  const Bytes folder_path(env, folder);
  if (folder_path.failed()) return nullptr;
  char path[HP_STORE_PATH];
  hp_store_report report = HP_STORE_REPORT_INIT;
  hp_error error;
  const hp_status status = hp_store_start(folder_path.text(), path, &report, &error);
  if (status == HP_NO_BUNDLE || !Check(env, status, &error)) return nullptr;
  const jlong all[] = {report.outcome, static_cast<jlong>(report.current),
                       static_cast<jlong>(report.previous), static_cast<jlong>(report.rejected)};
  env->SetLongArrayRegion(numbers, 0, 4, all);
  return ToBytes(env, path);
}

void Confirm(JNIEnv* env, jclass, jbyteArray folder) {
  const Bytes path(env, folder);
  if (path.failed()) return;
  hp_error error;
  Check(env, hp_store_confirm(path.text(), &error), &error);
}

void Install(JNIEnv* env, jclass, jbyteArray folder, jbyteArray bundle, jbyteArray keys) {
  const Bytes folder_path(env, folder);
  if (folder_path.failed()) return;
  WithKeys(env, bundle, keys,
           [&](const char* path, const hp_update_options* options, hp_error* error) {
             return hp_store_install(folder_path.text(), path, options, error);
           });
}

void RollBack(JNIEnv* env, jclass, jbyteArray folder) {
  const Bytes path(env, folder);
  if (path.failed()) return;
  hp_error error;
  Check(env, hp_store_rollback(path.text(), &error), &error);
}

}  // namespace

bool RegisterUpdates(JNIEnv* env) {
  const JNINativeMethod of_updates[] = {
      Method("nativeApply", "([B[B[BLdev/handpick/Progress;)V", &Apply),
      Method("nativeVerify", "([B[B)V", &Verify),
  };
  const JNINativeMethod of_stores[] = {
      Method("nativeStart", "([B[J)[B", &Start),
      Method("nativeConfirm", "([B)V", &Confirm),
      Method("nativeInstall", "([B[B[B)V", &Install),
      Method("nativeRollback", "([B)V", &RollBack),
  };
  return Register(env, "dev/handpick/Updates", of_updates) &&
         Register(env, "dev/handpick/Store", of_stores);
}

}  // namespace java
}  // namespace handpick
