// Recall and recommend.
#ifndef HANDPICK_SDK_JAVA_JNI_SEARCH_H_
#define HANDPICK_SDK_JAVA_JNI_SEARCH_H_

#include "sdk/java/jni/java.h"

namespace handpick {
namespace java {

// Session.nativeSearch. Returns {long[] ids, int[] numbers, float[] scores, byte[][] string ids or
// null}; an item has one score of recall, or three of recommend: recall's, score, logit.
jobjectArray JNICALL Search(JNIEnv* env, jobject, jlong address, jboolean rank, jint k,
                            jintArray numbers, jfloat half_life, jfloatArray vector,
                            jintArray filter_numbers, jfloatArray filter_bounds,
                            jlongArray filter_ids, jbyteArray filter_text, jintArray filter_ends,
                            jint filter_strings, jlongArray excluded_ids, jbyteArray excluded_text,
                            jintArray excluded_ends, jint excluded_strings, jobject accepts,
                            jlong overlay);

}  // namespace java
}  // namespace handpick

#endif  // HANDPICK_SDK_JAVA_JNI_SEARCH_H_
