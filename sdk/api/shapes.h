// The structs of the C API that may grow: every field, in order.
#ifndef HANDPICK_SDK_API_SHAPES_H_
#define HANDPICK_SDK_API_SHAPES_H_

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "sdk/api/struct_size.h"

namespace handpick {

// With struct_size: what HP_..._INIT says is the default.
#define HP_SIZED_STRUCT(type, init, ...)                                                \
  template <>                                                                           \
  struct StructShapeOf<type> {                                                          \
    HP_STRUCT_SHAPE_MEMBERS(type, __VA_ARGS__)                                          \
    static type Default() { return init; }                                              \
  };                                                                                    \
  static_assert(struct_size_internal::AreAllFields<type>(StructShapeOf<type>::kFields), \
                "every field, and no padding behind the last")

// Elements of arrays, whose owner has their size.
#define HP_ELEMENT_STRUCT(type, ...)                                                    \
  template <>                                                                           \
  struct StructShapeOf<type> {                                                          \
    HP_STRUCT_SHAPE_MEMBERS(type, __VA_ARGS__)                                          \
  };                                                                                    \
  static_assert(struct_size_internal::AreAllFields<type>(StructShapeOf<type>::kFields), \
                "every field, and no padding behind the last")

#define F HP_STRUCT_FIELD

HP_SIZED_STRUCT(hp_allocator, HP_ALLOCATOR_INIT, F(hp_allocator, struct_size),
                F(hp_allocator, allocate), F(hp_allocator, release), F(hp_allocator, opaque));

HP_SIZED_STRUCT(hp_open_options, HP_OPEN_OPTIONS_INIT, F(hp_open_options, struct_size),
                F(hp_open_options, flags), F(hp_open_options, allocator),
                F(hp_open_options, max_model_bytes), F(hp_open_options, public_keys),
                F(hp_open_options, public_keys_size));

HP_SIZED_STRUCT(hp_session_options, HP_SESSION_OPTIONS_INIT, F(hp_session_options, struct_size),
                F(hp_session_options, tile), F(hp_session_options, workers),
                F(hp_session_options, recall_k), F(hp_session_options, recall_interests),
                F(hp_session_options, recall_probes), F(hp_session_options, parallel_for),
                F(hp_session_options, parallel_opaque));

HP_ELEMENT_STRUCT(hp_column, F(hp_column, feature), F(hp_column, type), F(hp_column, integers),
                  F(hp_column, numbers), F(hp_column, strings), F(hp_column, row_splits));

HP_SIZED_STRUCT(hp_batch, HP_BATCH_INIT, F(hp_batch, struct_size), F(hp_batch, column_size),
                F(hp_batch, columns), F(hp_batch, column_count), F(hp_batch, row_count));

HP_ELEMENT_STRUCT(hp_filter, F(hp_filter, kind), F(hp_filter, feature), F(hp_filter, type),
                  F(hp_filter, element), F(hp_filter, low), F(hp_filter, high),
                  F(hp_filter, integers), F(hp_filter, strings), F(hp_filter, count));

HP_SIZED_STRUCT(hp_recall_options, HP_RECALL_OPTIONS_INIT, F(hp_recall_options, struct_size),
                F(hp_recall_options, user), F(hp_recall_options, k),
                F(hp_recall_options, half_life), F(hp_recall_options, interests),
                F(hp_recall_options, probes), F(hp_recall_options, exact),
                F(hp_recall_options, keep_seen), F(hp_recall_options, filter_size),
                F(hp_recall_options, filters), F(hp_recall_options, filter_count),
                F(hp_recall_options, vector), F(hp_recall_options, vector_size),
                F(hp_recall_options, excluded_integers), F(hp_recall_options, excluded_strings),
                F(hp_recall_options, excluded_count), F(hp_recall_options, accepts),
                F(hp_recall_options, accepts_opaque), F(hp_recall_options, overlay),
                F(hp_recall_options, rank_output));

HP_SIZED_STRUCT(hp_recall_report, HP_RECALL_REPORT_INIT, F(hp_recall_report, struct_size),
                F(hp_recall_report, outcome), F(hp_recall_report, events),
                F(hp_recall_report, searches), F(hp_recall_report, exact),
                F(hp_recall_report, rows_scanned), F(hp_recall_report, buckets));

HP_SIZED_STRUCT(
    hp_model_info, HP_MODEL_INFO_INIT, F(hp_model_info, struct_size),
    F(hp_model_info, format_major), F(hp_model_info, format_minor), F(hp_model_info, precision),
    F(hp_model_info, feature_count), F(hp_model_info, max_history), F(hp_model_info, tile),
    F(hp_model_info, golden_count), F(hp_model_info, step_count), F(hp_model_info, has_model),
    F(hp_model_info, model_name), F(hp_model_info, model_version), F(hp_model_info, producer),
    F(hp_model_info, catalog_items), F(hp_model_info, recall_items), F(hp_model_info, bundle_bytes),
    F(hp_model_info, table_bytes), F(hp_model_info, dense_bytes), F(hp_model_info, session_bytes),
    F(hp_model_info, model_bytes), F(hp_model_info, engine_bytes), F(hp_model_info, output_count),
    F(hp_model_info, copied_bytes), F(hp_model_info, content_hash), F(hp_model_info, key_id));

HP_SIZED_STRUCT(hp_feature_info, HP_FEATURE_INFO_INIT, F(hp_feature_info, struct_size),
                F(hp_feature_info, side), F(hp_feature_info, type), F(hp_feature_info, value_types),
                F(hp_feature_info, max_values), F(hp_feature_info, dimension),
                F(hp_feature_info, optional), F(hp_feature_info, is_catalog_key),
                F(hp_feature_info, name), F(hp_feature_info, sequence),
                F(hp_feature_info, max_events));

HP_SIZED_STRUCT(hp_output_info, HP_OUTPUT_INFO_INIT, F(hp_output_info, struct_size),
                F(hp_output_info, task), F(hp_output_info, name));

HP_SIZED_STRUCT(hp_rank_options, HP_RANK_OPTIONS_INIT, F(hp_rank_options, struct_size),
                F(hp_rank_options, output), F(hp_rank_options, scores), F(hp_rank_options, logits),
                F(hp_rank_options, margin));

HP_SIZED_STRUCT(hp_recall_info, HP_RECALL_INFO_INIT, F(hp_recall_info, struct_size),
                F(hp_recall_info, metric), F(hp_recall_info, dimension), F(hp_recall_info, id_type),
                F(hp_recall_info, history_feature), F(hp_recall_info, candidate_feature),
                F(hp_recall_info, has_user_vector), F(hp_recall_info, probes),
                F(hp_recall_info, measured_k), F(hp_recall_info, measured_recall),
                F(hp_recall_info, item_count));

HP_SIZED_STRUCT(hp_build_info, HP_BUILD_INFO_INIT, F(hp_build_info, struct_size),
                F(hp_build_info, format_major), F(hp_build_info, format_minor),
                F(hp_build_info, version), F(hp_build_info, build_type),
                F(hp_build_info, architecture));

HP_SIZED_STRUCT(hp_session_counters, HP_SESSION_COUNTERS_INIT, F(hp_session_counters, struct_size),
                F(hp_session_counters, context_runs), F(hp_session_counters, events),
                F(hp_session_counters, candidates), F(hp_session_counters, tiles),
                F(hp_session_counters, context_multiplications),
                F(hp_session_counters, event_multiplications),
                F(hp_session_counters, candidate_multiplications),
                F(hp_session_counters, tile_multiplications), F(hp_session_counters, rows_gathered),
                F(hp_session_counters, recalls), F(hp_session_counters, recall_rows),
                F(hp_session_counters, recall_buckets), F(hp_session_counters, preselections),
                F(hp_session_counters, preselected), F(hp_session_counters, margin_violations),
                F(hp_session_counters, preselect_error));

HP_SIZED_STRUCT(hp_profile, HP_PROFILE_INIT, F(hp_profile, struct_size), F(hp_profile, step_count),
                F(hp_profile, clock), F(hp_profile, opaque), F(hp_profile, steps));

HP_SIZED_STRUCT(hp_update_options, HP_UPDATE_OPTIONS_INIT, F(hp_update_options, struct_size),
                F(hp_update_options, flags), F(hp_update_options, allocator),
                F(hp_update_options, progress), F(hp_update_options, progress_opaque),
                F(hp_update_options, public_keys), F(hp_update_options, public_keys_size));

HP_SIZED_STRUCT(hp_store_report, HP_STORE_REPORT_INIT, F(hp_store_report, struct_size),
                F(hp_store_report, outcome), F(hp_store_report, current),
                F(hp_store_report, previous), F(hp_store_report, rejected));

#undef F
#undef HP_SIZED_STRUCT
#undef HP_ELEMENT_STRUCT

}  // namespace handpick

#endif  // HANDPICK_SDK_API_SHAPES_H_
