#include "sdk/java/jni/search.h"

namespace handpick {
namespace java {
namespace {

// Numbers of a filter: kind, feature, type, element, number of ids.
constexpr jsize kFilter = 5;

struct Predicate {
  JNIEnv* env;
  jobject object;
};

// hp_recall_options.accepts: asks Java. No array is pinned meanwhile.
int Accepts(void* opaque, uint32_t item, const hp_item_id* id) {
  const Predicate* const predicate = static_cast<const Predicate*>(opaque);
  JNIEnv* const env = predicate->env;
  if (env->ExceptionCheck() == JNI_TRUE) return 0;
  const jbyteArray text = ToBytes(env, id->string.data, id->string.size);
  if (env->ExceptionCheck() == JNI_TRUE) return 0;
  const jboolean answer =
      env->CallStaticBooleanMethod(classes.session, classes.session_accepts, predicate->object,
                                   static_cast<jint>(item), static_cast<jlong>(id->integer), text);
  if (text != nullptr) env->DeleteLocalRef(text);
  return env->ExceptionCheck() == JNI_FALSE && answer == JNI_TRUE;
}

// Strings of Java, copied.
struct Strings {
  jbyteArray text;
  jintArray ends;
  jint count;

  uint64_t Bytes(JNIEnv* env) const {
    const uint64_t size = static_cast<uint64_t>(count);
    return Scratch::Bytes<char>(static_cast<uint64_t>(env->GetArrayLength(text))) +
           Scratch::Bytes<jint>(size) + Scratch::Bytes<hp_string>(size);
  }

  const hp_string* Copy(JNIEnv* env, Scratch* scratch) const {
    const uint64_t size = static_cast<uint64_t>(count);
    const jsize length = env->GetArrayLength(text);
    char* const bytes = scratch->Take<char>(static_cast<uint64_t>(length));
    jint* const numbers = scratch->Take<jint>(size);
    hp_string* const strings = scratch->Take<hp_string>(size);
    env->GetByteArrayRegion(text, 0, length, reinterpret_cast<jbyte*>(bytes));
    env->GetIntArrayRegion(ends, 0, count, numbers);
    if (env->ExceptionCheck() == JNI_TRUE) return nullptr;
    if (!ToStrings(bytes, static_cast<size_t>(length), numbers, static_cast<size_t>(count),
                   strings)) {
      Throw(env, HP_INTERNAL, "strings that end before they begin");
      return nullptr;
    }
    return strings;
  }
};

// What recall and recommend found, as one kind.
struct Found {
  const hp_recalled* recalled;  // One of the two.
  const hp_recommended* recommended;
  size_t count;

  const hp_item_id& id(size_t i) const {
    return recalled != nullptr ? recalled[i].id : recommended[i].id;
  }
  uint32_t item(size_t i) const {
    return recalled != nullptr ? recalled[i].item : recommended[i].item;
  }
};

jobjectArray ToJava(JNIEnv* env, const Found& found) {
  const jsize count = static_cast<jsize>(found.count);
  const jsize scores_each = found.recalled != nullptr ? 1 : 3;
  const jobjectArray result = env->NewObjectArray(4, classes.object, nullptr);
  const jlongArray ids = env->NewLongArray(count);
  const jintArray items = env->NewIntArray(count);
  const jfloatArray scores = env->NewFloatArray(count * scores_each);
  if (result == nullptr || ids == nullptr || items == nullptr || scores == nullptr) return nullptr;
  jobjectArray strings = nullptr;
  if (found.count > 0 && found.id(0).string.data != nullptr) {
    strings = env->NewObjectArray(count, classes.bytes, nullptr);
    if (strings == nullptr) return nullptr;
  }
  for (jsize i = 0; i < count; ++i) {
    const size_t at = static_cast<size_t>(i);
    const hp_item_id& id = found.id(at);
    const jlong integer = id.integer;
    const jint item = static_cast<jint>(found.item(at));
    env->SetLongArrayRegion(ids, i, 1, &integer);
    env->SetIntArrayRegion(items, i, 1, &item);
    if (found.recalled != nullptr) {
      env->SetFloatArrayRegion(scores, i, 1, &found.recalled[at].score);
    } else {
      const hp_recommended& one = found.recommended[at];
      const jfloat all[] = {one.recall_score, one.score, one.logit};
      env->SetFloatArrayRegion(scores, 3 * i, 3, all);
    }
    if (strings != nullptr) {
      const jbyteArray text = ToBytes(env, id.string.data, id.string.size);
      if (text == nullptr) return nullptr;
      env->SetObjectArrayElement(strings, i, text);
      env->DeleteLocalRef(text);
    }
  }
  env->SetObjectArrayElement(result, 0, ids);
  env->SetObjectArrayElement(result, 1, items);
  env->SetObjectArrayElement(result, 2, scores);
  env->SetObjectArrayElement(result, 3, strings);
  return result;
}

}  // namespace

jobjectArray JNICALL Search(JNIEnv* env, jobject, jlong address, jboolean rank, jint k,
                            jintArray numbers, jfloat half_life, jfloatArray vector,
                            jintArray filter_numbers, jfloatArray filter_bounds,
                            jlongArray filter_ids, jbyteArray filter_text, jintArray filter_ends,
                            jint filter_strings, jlongArray excluded_ids, jbyteArray excluded_text,
                            jintArray excluded_ends, jint excluded_strings, jobject accepts,
                            jlong overlay) {
  Session* const session = FromAddress<Session>(address);
  jint given[7];  // Session.search has the order.
  env->GetIntArrayRegion(numbers, 0, 7, given);
  if (env->ExceptionCheck() == JNI_TRUE) return nullptr;
  if (given[1] > HP_MAX_RECALL_K) {
    Throw(env, HP_INVALID_ARGUMENT, "k is larger than HP_MAX_RECALL_K, 1048576");
    return nullptr;
  }
  if (env->GetArrayLength(excluded_ids) > 0 && excluded_strings > 0) {
    Throw(env, HP_INVALID_ARGUMENT,
          "items to exclude are named by numbers or by text, not by both");
    return nullptr;
  }
  const uint64_t room = static_cast<uint64_t>(k < given[1] ? k : given[1]);
  const jsize dimension = vector == nullptr ? 0 : env->GetArrayLength(vector);
  const jsize filters = env->GetArrayLength(filter_numbers) / kFilter;
  const jsize filter_id_count = env->GetArrayLength(filter_ids);
  const jsize excluded_count = env->GetArrayLength(excluded_ids);
  const Strings of_filters = {filter_text, filter_ends, filter_strings};
  const Strings of_excluded = {excluded_text, excluded_ends, excluded_strings};
  const auto size = [](jsize count) { return static_cast<uint64_t>(count); };
  if (!session->scratch.Reserve(env, Scratch::Bytes<hp_recommended>(room) +
                                         Scratch::Bytes<float>(size(dimension)) +
                                         Scratch::Bytes<jint>(size(filters) * kFilter) +
                                         Scratch::Bytes<float>(size(filters) * 2) +
                                         Scratch::Bytes<hp_filter>(size(filters)) +
                                         Scratch::Bytes<jlong>(size(filter_id_count)) +
                                         Scratch::Bytes<jlong>(size(excluded_count)) +
                                         of_filters.Bytes(env) + of_excluded.Bytes(env))) {
    return nullptr;
  }
  Scratch* const scratch = &session->scratch;
  // Large enough for either.
  static_assert(sizeof(hp_recommended) >= sizeof(hp_recalled), "one array for both");
  hp_recommended* const items = scratch->Take<hp_recommended>(room);
  float* const user = scratch->Take<float>(size(dimension));
  jint* const filter = scratch->Take<jint>(size(filters) * kFilter);
  float* const bounds = scratch->Take<float>(size(filters) * 2);
  hp_filter* const conditions = scratch->Take<hp_filter>(size(filters));
  jlong* const ids = scratch->Take<jlong>(size(filter_id_count));
  jlong* const excluded = scratch->Take<jlong>(size(excluded_count));
  if (vector != nullptr) env->GetFloatArrayRegion(vector, 0, dimension, user);
  env->GetIntArrayRegion(filter_numbers, 0, filters * kFilter, filter);
  env->GetFloatArrayRegion(filter_bounds, 0, filters * 2, bounds);
  env->GetLongArrayRegion(filter_ids, 0, filter_id_count, ids);
  env->GetLongArrayRegion(excluded_ids, 0, excluded_count, excluded);
  if (env->ExceptionCheck() == JNI_TRUE) return nullptr;
  const hp_string* const strings = of_filters.Copy(env, scratch);
  if (strings == nullptr) return nullptr;
  const hp_string* const excluded_as_strings = of_excluded.Copy(env, scratch);
  if (excluded_as_strings == nullptr) return nullptr;

  // Java's long is int64_t, by another name.
  const int64_t* next_id = reinterpret_cast<const int64_t*>(ids);
  const hp_string* next_string = strings;
  for (jsize i = 0; i < filters; ++i) {
    const jint* const of = filter + i * kFilter;
    hp_filter condition = HP_FILTER_INIT;
    condition.kind = static_cast<hp_filter_kind>(of[0]);
    condition.feature = static_cast<uint32_t>(of[1]);
    condition.type = static_cast<hp_value_type>(of[2]);
    condition.element = static_cast<uint32_t>(of[3]);
    condition.low = bounds[2 * i];
    condition.high = bounds[2 * i + 1];
    condition.count = static_cast<size_t>(of[4]);
    if (condition.type == HP_STRING) {
      condition.strings = next_string;
      next_string += condition.count;
    } else if (condition.count > 0) {
      condition.integers = next_id;
      next_id += condition.count;
    }
    conditions[i] = condition;
  }

  Predicate predicate = {env, accepts};
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.user = static_cast<hp_user_vector>(given[0]);
  options.k = static_cast<size_t>(given[1]);
  options.half_life = half_life;
  options.interests = static_cast<uint32_t>(given[2]);
  options.probes = static_cast<uint32_t>(given[3]);
  options.exact = given[4];
  options.keep_seen = given[5];
  options.rank_output = static_cast<size_t>(given[6]);
  options.filters = conditions;
  options.filter_count = static_cast<size_t>(filters);
  options.vector = vector == nullptr ? nullptr : user;
  options.vector_size = static_cast<size_t>(dimension);
  options.excluded_integers = excluded_count > 0 ? reinterpret_cast<int64_t*>(excluded) : nullptr;
  options.excluded_strings = excluded_strings > 0 ? excluded_as_strings : nullptr;
  options.excluded_count = static_cast<size_t>(excluded_count + excluded_strings);
  if (accepts != nullptr) {
    options.accepts = &Accepts;
    options.accepts_opaque = &predicate;
  }
  if (overlay != 0) options.overlay = FromAddress<Overlay>(overlay)->overlay;

  Found found = {};
  hp_status status;
  if (rank == JNI_TRUE) {
    found.recommended = items;
    status = hp_session_recommend(session->session, &options, static_cast<size_t>(room), items,
                                  &found.count);
  } else {
    hp_recalled* const recalled = reinterpret_cast<hp_recalled*>(items);
    found.recalled = recalled;
    status = hp_session_recall(session->session, &options, recalled, &found.count);
  }
  // What the app's predicate threw goes first.
  if (env->ExceptionCheck() == JNI_TRUE) return nullptr;
  if (!Check(env, status, status == HP_OK ? nullptr : hp_session_last_error(session->session))) {
    return nullptr;
  }
  return ToJava(env, found);
}

}  // namespace java
}  // namespace handpick
