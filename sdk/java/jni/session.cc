// Native methods of dev.handpick.Session.
#include <stdlib.h>

#include "handpick/diagnostics.h"
#include "sdk/java/jni/batch.h"
#include "sdk/java/jni/java.h"
#include "sdk/java/jni/search.h"

namespace handpick {
namespace java {
namespace {

enum Give { kSetContext = 0, kAppendEvents = 1, kSetHistory = 2 };

jlong New(JNIEnv* env, jclass, jlong model, jintArray numbers) {
  hp_session_options options;
  if (!ToSessionOptions(env, numbers, &options)) return 0;
  Session* const session = static_cast<Session*>(calloc(1, sizeof(Session)));
  if (session == nullptr) {
    Throw(env, HP_OUT_OF_MEMORY, "no memory for a session");
    return 0;
  }
  session->model = FromAddress<hp_model>(model);
  hp_error error;
  const hp_status status = hp_session_new(session->model, &options, &session->session, &error);
  if (!Check(env, status, &error)) {
    free(session);
    return 0;
  }
  return ToAddress(session);
}

void Free(JNIEnv*, jclass, jlong address) {
  Session* const session = FromAddress<Session>(address);
  hp_session_free(session->session);
  session->scratch.Free();
  free(session);
}

void CheckSession(JNIEnv* env, const Session* session, hp_status status) {
  if (status != HP_OK) Check(env, status, hp_session_last_error(session->session));
}

void GiveBatch(JNIEnv* env, jobject, jlong address, jint what, jint columns, jint rows,
               jintArray header, jobjectArray values, jobjectArray ends, jobjectArray splits) {
  Session* const session = FromAddress<Session>(address);
  Batch batch(env, session);
  if (!batch.Begin({columns, rows, header, values, ends, splits}, 0)) return;
  hp_status status = HP_OK;
  if (batch.Pin()) {
    switch (what) {
      case kSetContext:
        status = hp_session_set_context(session->session, batch.get());
        break;
      case kAppendEvents:
        status = hp_session_append_events(session->session, batch.get());
        break;
      default:
        status = hp_session_set_history(session->session, batch.get());
    }
  }
  batch.Unpin();
  CheckSession(env, session, status);
}

// The lengths of the last three arrays are the number of candidates that are wanted.
jint Rank(JNIEnv* env, jobject, jlong address, jint columns, jint rows, jintArray header,
          jobjectArray values, jobjectArray ends, jobjectArray splits, jint output,
          jintArray indices, jfloatArray scores, jfloatArray logits) {
  Session* const session = FromAddress<Session>(address);
  const jsize k = env->GetArrayLength(indices);
  const uint64_t wanted = static_cast<uint64_t>(k);
  Batch batch(env, session);
  if (!batch.Begin({columns, rows, header, values, ends, splits},
                   Scratch::Bytes<hp_ranked>(wanted) + Scratch::Bytes<jint>(wanted) +
                       2 * Scratch::Bytes<jfloat>(wanted))) {
    return 0;
  }
  hp_ranked* const ranked = session->scratch.Take<hp_ranked>(wanted);
  jint* const best = session->scratch.Take<jint>(wanted);
  jfloat* const best_scores = session->scratch.Take<jfloat>(wanted);
  jfloat* const best_logits = session->scratch.Take<jfloat>(wanted);
  size_t count = 0;
  hp_status status = HP_OK;
  hp_rank_options options = HP_RANK_OPTIONS_INIT;
  options.output = static_cast<uint32_t>(output);
  if (batch.Pin()) {
    status = hp_session_rank_by(session->session, batch.get(), &options, static_cast<size_t>(k),
                                ranked, &count);
  }
  batch.Unpin();
  CheckSession(env, session, status);
  if (env->ExceptionCheck() == JNI_TRUE) return 0;
  for (size_t i = 0; i < count; ++i) {
    best[i] = static_cast<jint>(ranked[i].index);
    best_scores[i] = ranked[i].score;
    best_logits[i] = ranked[i].logit;
  }
  env->SetIntArrayRegion(indices, 0, static_cast<jsize>(count), best);
  env->SetFloatArrayRegion(scores, 0, static_cast<jsize>(count), best_scores);
  env->SetFloatArrayRegion(logits, 0, static_cast<jsize>(count), best_logits);
  return static_cast<jint>(count);
}

void Score(JNIEnv* env, jobject, jlong address, jint columns, jint rows, jintArray header,
           jobjectArray values, jobjectArray ends, jobjectArray splits, jintArray outputs,
           jobject scores, jint first_score, jobject logits, jint first_logit) {
  Session* const session = FromAddress<Session>(address);
  const jsize width = outputs == nullptr ? 1 : env->GetArrayLength(outputs);
  Batch batch(env, session);
  if (!batch.Begin({columns, rows, header, values, ends, splits},
                   Scratch::Bytes<jint>(static_cast<uint64_t>(width)))) {
    return;
  }
  jint* const numbers = session->scratch.Take<jint>(static_cast<uint64_t>(width));
  if (outputs != nullptr) env->GetIntArrayRegion(outputs, 0, width, numbers);
  const uint64_t size = static_cast<uint64_t>(rows) * static_cast<uint64_t>(width);
  Elements of_scores;
  Elements of_logits;
  if ((scores != nullptr &&
       !of_scores.Find(env, scores, classes.floats, static_cast<uint64_t>(first_score), size)) ||
      (logits != nullptr &&
       !of_logits.Find(env, logits, classes.floats, static_cast<uint64_t>(first_logit), size))) {
    Throw(env, HP_INVALID_ARGUMENT, "there is no room for a score of each candidate");
    return;
  }
  hp_status status = HP_OK;
  if (batch.Pin()) {
    float* const out_scores = scores == nullptr ? nullptr : of_scores.Pin<float>(env);
    float* const out_logits = logits == nullptr ? nullptr : of_logits.Pin<float>(env);
    if ((scores != nullptr && out_scores == nullptr) ||
        (logits != nullptr && out_logits == nullptr)) {
      status = HP_OUT_OF_MEMORY;
    } else if (outputs == nullptr) {
      status = hp_session_score(session->session, batch.get(), out_scores, out_logits);
    } else {
      status = hp_session_score_outputs(session->session, batch.get(),
                                        reinterpret_cast<const uint32_t*>(numbers),
                                        static_cast<size_t>(width), out_scores, out_logits);
    }
    if (logits != nullptr) of_logits.Unpin(env, 0);
    if (scores != nullptr) of_scores.Unpin(env, 0);
  }
  batch.Unpin();
  CheckSession(env, session, status);
}

void Report(JNIEnv* env, jobject, jlong address, jlongArray numbers) {
  hp_recall_report report = HP_RECALL_REPORT_INIT;
  const hp_status status =
      hp_session_get_recall_report(FromAddress<Session>(address)->session, &report);
  if (!Check(env, status, nullptr)) return;
  const jlong all[] = {report.outcome,
                       report.events,
                       report.searches,
                       report.exact,
                       static_cast<jlong>(report.rows_scanned),
                       static_cast<jlong>(report.buckets)};
  env->SetLongArrayRegion(numbers, 0, static_cast<jsize>(sizeof(all) / sizeof(all[0])), all);
}

jfloat Goldens(JNIEnv* env, jobject, jlong address) {
  const Session* const session = FromAddress<Session>(address);
  float worst = 0;
  CheckSession(env, session, hp_session_check_goldens(session->session, &worst));
  return worst;
}

}  // namespace

bool RegisterSession(JNIEnv* env) {
#define HANDPICK_BATCH "II[I[Ljava/lang/Object;[Ljava/lang/Object;[Ljava/lang/Object;"
  const JNINativeMethod methods[] = {
      Method("nativeNew", "(J[I)J", &New),
      Method("nativeFree", "(J)V", &Free),
      Method("nativeGive", "(JI" HANDPICK_BATCH ")V", &GiveBatch),
      Method("nativeRank", "(J" HANDPICK_BATCH "I[I[F[F)I", &Rank),
      Method("nativeScore", "(J" HANDPICK_BATCH "[ILjava/lang/Object;ILjava/lang/Object;I)V",
             &Score),
      Method("nativeSearch",
             "(JZI[IF[F[I[F[J[B[II[J[B[IILdev/handpick/ItemPredicate;J)[Ljava/lang/Object;",
             &Search),
      Method("nativeReport", "(J[J)V", &Report),
      Method("nativeGoldens", "(J)F", &Goldens),
  };
#undef HANDPICK_BATCH
  return Register(env, "dev/handpick/Session", methods);
}

}  // namespace java
}  // namespace handpick
