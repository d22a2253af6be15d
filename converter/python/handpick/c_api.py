"""The C API, as handpick.h and diagnostics.h declare it, for ctypes."""

import ctypes as c
import os

from .command import Error

OK = 0
INT64, FLOAT32, STRING = 1, 2, 4
SIDES = {"context": 1, "history": 2, "candidate": 3}
FEATURE_TYPES = {1: "categorical", 2: "multi_categorical", 3: "numeric", 4: "crossed", 5: "length"}
PRECISIONS = {1: "float32", 2: "int8", 3: "float16"}
TASKS = {1: "binary", 2: "regression", 3: "probability", 4: "log_probability"}
METRICS = {1: "cosine", 2: "inner_product", 3: "euclidean"}
USER_VECTORS = {"mean": 1, "recent": 2, "interests": 3, "vector": 4, "model": 5}
OUTCOMES = {0: "not_done", 1: "found", 2: "no_events", 3: "no_direction", 4: "none_left"}
FILTERS = {"any_of": 1, "none_of": 2, "range": 3}
OPEN_COPY = 1
ALIGNMENT = 64
PUBLIC_KEY_SIZE = 32
NO_FEATURE = OVERLAY_ITEM = 0xFFFFFFFF

Size = c.c_size_t
String_p = c.c_char_p
PARALLEL_TASK = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32)
PARALLEL_FOR = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, PARALLEL_TASK, c.c_void_p)


class StatusError(Error):
    """What the runtime refused. `status` is its number, `name` its text ("unknown feature")."""

    def __init__(self, status, name, message):
        super().__init__(message or name)
        self.status = status
        self.name = name


class String(c.Structure):
    _fields_ = [("data", c.c_void_p), ("size", Size)]


class Failure(c.Structure):  # hp_error
    _fields_ = [("status", c.c_int), ("message", c.c_char * 256)]


class OpenOptions(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("flags", c.c_uint32), ("allocator", c.c_void_p),
                ("max_model_bytes", c.c_uint64), ("public_keys", c.c_void_p), ("public_keys_size", Size)]


class SessionOptions(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("tile", c.c_uint32), ("workers", c.c_uint32), ("recall_k", c.c_uint32),
                ("recall_interests", c.c_uint32), ("recall_probes", c.c_uint32), ("parallel_for", PARALLEL_FOR),
                ("parallel_opaque", c.c_void_p)]


class Column(c.Structure):
    _fields_ = [("feature", c.c_uint32), ("type", c.c_int), ("integers", c.c_void_p), ("numbers", c.c_void_p),
                ("strings", c.c_void_p), ("row_splits", c.c_void_p)]


class Batch(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("column_size", c.c_uint32), ("columns", c.POINTER(Column)), ("column_count", Size),
                ("row_count", Size)]


class Ranked(c.Structure):
    _fields_ = [("index", Size), ("score", c.c_float), ("logit", c.c_float)]


class RankOptions(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("output", c.c_uint32), ("scores", c.c_void_p), ("logits", c.c_void_p),
                ("margin", c.c_double)]


class Filter(c.Structure):
    _fields_ = [("kind", c.c_int), ("feature", c.c_uint32), ("type", c.c_int), ("element", c.c_uint32), ("low", c.c_float),
                ("high", c.c_float), ("integers", c.c_void_p), ("strings", c.c_void_p), ("count", Size)]


class ItemId(c.Structure):
    _fields_ = [("integer", c.c_int64), ("string", String)]


ACCEPTS = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, c.POINTER(ItemId))


class RecallOptions(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("user", c.c_int), ("k", Size), ("half_life", c.c_float), ("interests", c.c_uint32),
                ("probes", c.c_uint32), ("exact", c.c_int), ("keep_seen", c.c_int), ("filter_size", c.c_uint32),
                ("filters", c.POINTER(Filter)), ("filter_count", Size), ("vector", c.c_void_p), ("vector_size", Size),
                ("excluded_integers", c.c_void_p), ("excluded_strings", c.c_void_p), ("excluded_count", Size),
                ("accepts", ACCEPTS), ("accepts_opaque", c.c_void_p), ("overlay", c.c_void_p), ("rank_output", Size)]


class Recommended(c.Structure):
    _fields_ = [("id", ItemId), ("item", c.c_uint32), ("recall_score", c.c_float), ("score", c.c_float), ("logit", c.c_float)]


class Recalled(c.Structure):
    _fields_ = [("id", ItemId), ("item", c.c_uint32), ("score", c.c_float)]


class RecallReport(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("outcome", c.c_int), ("events", c.c_uint32), ("searches", c.c_uint32),
                ("exact", c.c_int), ("rows_scanned", c.c_uint64), ("buckets", c.c_uint64)]


class ModelInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("format_major", c.c_uint32), ("format_minor", c.c_uint32), ("precision", c.c_int),
                ("feature_count", c.c_uint32), ("max_history", c.c_uint32), ("tile", c.c_uint32), ("golden_count", c.c_uint32),
                ("step_count", c.c_uint32), ("has_model", c.c_int), ("model_name", String_p), ("model_version", String_p),
                ("producer", String_p), ("catalog_items", c.c_uint64), ("recall_items", c.c_uint64), ("bundle_bytes", c.c_uint64),
                ("table_bytes", c.c_uint64), ("dense_bytes", c.c_uint64), ("session_bytes", c.c_uint64),
                ("model_bytes", c.c_uint64), ("engine_bytes", c.c_uint64), ("output_count", c.c_uint64),
                ("copied_bytes", c.c_uint64), ("content_hash", c.c_uint64), ("key_id", c.c_uint64)]


class FeatureInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("side", c.c_int), ("type", c.c_int), ("value_types", c.c_uint32),
                ("max_values", c.c_uint32), ("dimension", c.c_uint32), ("optional", c.c_int), ("is_catalog_key", c.c_int),
                ("name", String_p), ("sequence", String_p), ("max_events", c.c_uint64)]


class OutputInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("task", c.c_int), ("name", String_p)]


class RecallInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("metric", c.c_int), ("dimension", c.c_uint32), ("id_type", c.c_int),
                ("history_feature", c.c_uint32), ("candidate_feature", c.c_uint32), ("has_user_vector", c.c_int),
                ("probes", c.c_uint32), ("measured_k", c.c_uint32), ("measured_recall", c.c_float), ("item_count", c.c_uint64)]


#: Structs by their names in C, for a test that compares them with the headers.
STRUCTS = {
    "hp_string": String, "hp_error": Failure, "hp_open_options": OpenOptions, "hp_session_options": SessionOptions,
    "hp_column": Column, "hp_batch": Batch, "hp_ranked": Ranked, "hp_rank_options": RankOptions, "hp_filter": Filter,
    "hp_item_id": ItemId, "hp_recall_options": RecallOptions, "hp_recommended": Recommended, "hp_recalled": Recalled,
    "hp_recall_report": RecallReport, "hp_model_info": ModelInfo, "hp_feature_info": FeatureInfo, "hp_output_info": OutputInfo,
    "hp_recall_info": RecallInfo,
}

_P = c.c_void_p  # A model, a session, an overlay, or where one goes.
_ERROR = c.POINTER(Failure)
_FUNCTIONS = {
    "hp_status_text": (String_p, [c.c_int]),
    "hp_model_open_file": (c.c_int, [String_p, c.POINTER(OpenOptions), c.POINTER(_P), _ERROR]),
    "hp_model_open_fd": (c.c_int, [c.c_int, c.c_int64, c.c_int64, c.POINTER(OpenOptions), c.POINTER(_P), _ERROR]),
    "hp_model_open_buffer": (c.c_int, [_P, Size, c.POINTER(OpenOptions), c.POINTER(_P), _ERROR]),
    "hp_model_close": (None, [_P]),
    "hp_model_find_feature": (c.c_int, [_P, c.c_int, String_p, c.POINTER(c.c_uint32)]),
    "hp_model_find_output": (c.c_int, [_P, String_p, c.POINTER(c.c_uint32)]),
    "hp_model_get_info": (c.c_int, [_P, c.POINTER(ModelInfo)]),
    "hp_model_get_feature": (c.c_int, [_P, c.c_uint32, c.POINTER(FeatureInfo)]),
    "hp_model_get_output": (c.c_int, [_P, c.c_uint32, c.POINTER(OutputInfo)]),
    "hp_model_get_recall_info": (c.c_int, [_P, c.POINTER(RecallInfo)]),
    "hp_model_check": (c.c_int, [_P, _ERROR]),
    "hp_check_new": (c.c_int, [_P, c.POINTER(_P), _ERROR]),
    "hp_check_next": (c.c_int, [_P, c.c_uint64, c.POINTER(c.c_int), _ERROR]),
    "hp_check_free": (None, [_P]),
    "hp_session_new": (c.c_int, [_P, c.POINTER(SessionOptions), c.POINTER(_P), _ERROR]),
    "hp_session_free": (None, [_P]),
    "hp_session_memory_size": (c.c_int, [_P, c.POINTER(SessionOptions), c.POINTER(Size), _ERROR]),
    "hp_session_last_error": (_ERROR, [_P]),
    "hp_session_set_context": (c.c_int, [_P, c.POINTER(Batch)]),
    "hp_session_append_events": (c.c_int, [_P, c.POINTER(Batch)]),
    "hp_session_set_history": (c.c_int, [_P, c.POINTER(Batch)]),
    "hp_session_rank_by": (c.c_int, [_P, c.POINTER(Batch), c.POINTER(RankOptions), Size, _P, c.POINTER(Size)]),
    "hp_session_score_outputs": (c.c_int, [_P, c.POINTER(Batch), _P, Size, _P, _P]),
    "hp_session_recall": (c.c_int, [_P, c.POINTER(RecallOptions), _P, c.POINTER(Size)]),
    "hp_session_recommend": (c.c_int, [_P, c.POINTER(RecallOptions), Size, _P, c.POINTER(Size)]),
    "hp_session_get_recall_report": (c.c_int, [_P, c.POINTER(RecallReport)]),
    "hp_session_check_goldens": (c.c_int, [_P, c.POINTER(c.c_float)]),
    "hp_recall_overlay_memory_size": (c.c_int, [_P, c.c_uint32, c.POINTER(Size), _ERROR]),
    "hp_recall_overlay_create": (c.c_int, [_P, c.c_uint32, _P, Size, c.POINTER(_P), _ERROR]),
    "hp_recall_overlay_add": (c.c_int, [_P, c.POINTER(ItemId), _P, Size, _ERROR]),
    "hp_recall_overlay_remove": (c.c_int, [_P, c.POINTER(ItemId), _ERROR]),
    "hp_recall_overlay_hide": (c.c_int, [_P, c.POINTER(ItemId), _ERROR]),
    "hp_recall_overlay_show": (c.c_int, [_P, c.POINTER(ItemId), _ERROR]),
}

_loaded = None


def library_path():
    """Where libhandpick.so is: HANDPICK_LIBRARY, or in this package."""
    named = os.environ.get("HANDPICK_LIBRARY")
    path = named or os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "libhandpick.so")
    if not os.path.isfile(path):
        where = "HANDPICK_LIBRARY" if named else "this installation of handpick"
        raise Error(f"{where}: there is no file '{path}'")
    return path


def library():
    """The C library, loaded once. Its functions let other Python threads run."""
    global _loaded  # pylint: disable=global-statement
    if _loaded is None:
        loaded = c.CDLL(library_path())
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        _loaded = loaded
    return _loaded


def fresh(struct):
    """An empty struct that says its size."""
    return struct(struct_size=c.sizeof(struct))


def check(status, failure=None):
    if status != OK:
        message = failure.message.decode("utf-8", "replace") if failure is not None else ""
        raise StatusError(status, library().hp_status_text(status).decode(), message)
