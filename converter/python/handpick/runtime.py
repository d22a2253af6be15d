"""The runtime that a phone has, from Python: open a bundle, keep a user's session, rank and recommend.

    model = handpick.Model("ranker.hpk")
    with model.session() as session:
        session.set_context({"rating_count": 50, "favourite_genre": "Drama"})
        session.append_events({"movie_id": [1, 50], "genre": ["Animation", "Crime"]})
        best = session.rank({"movie_id": ids}, k=10)       # best["index"], best["score"], best["logit"]
        films = session.recommend(10, user="recent", half_life=10)

A model is shared by threads. A session is used by one thread at a time; a second one gets an Error. Arrays that have the type of the
C API already (int64, float32, contiguous) are not copied.
"""

import ctypes as c
import os
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from . import c_api
from .batches import Batch, integers, is_text, strings
from .command import Error

Feature = namedtuple("Feature", "number side name type value_types max_values dimension optional is_catalog_key sequence max_events")
Output = namedtuple("Output", "number name task")
Recommended = namedtuple("Recommended", "id score logit recall_score from_overlay")
Recalled = namedtuple("Recalled", "id score from_overlay")
RecallReport = namedtuple("RecallReport", "outcome events searches exact rows_scanned buckets")

_RANKED = np.dtype([("index", np.uintp), ("score", np.float32), ("logit", np.float32)])


class Filter:
    """A condition on a column of the catalog, for recall: any_of, none_of, in_range."""

    def __init__(self, kind, feature, ids=(), element=0, low=0.0, high=0.0):
        self.kind, self.feature, self.ids, self.element, self.low, self.high = kind, feature, ids, element, low, high


def any_of(feature, ids):
    """One of the item's ids is among these."""
    return Filter("any_of", feature, ids)


def none_of(feature, ids):
    """None of the item's ids is among these."""
    return Filter("none_of", feature, ids)


def in_range(feature, low=-np.inf, high=np.inf, element=0):
    """low <= number <= high."""
    return Filter("range", feature, (), element, low, high)


def _text(value):
    return value.decode("utf-8", "replace") if value is not None else None


class _Owner:
    """What holds a handle of the C library."""

    _handle = None

    def _use(self):
        if not self._handle:
            raise Error(f"this {type(self).__name__.lower()} is closed")
        return self._handle

    def close(self):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


def _open_options(copy, public_keys):
    options = c_api.fresh(c_api.OpenOptions)
    options.flags = c_api.OPEN_COPY if copy else 0
    if public_keys is not None:
        keys = [bytes.fromhex(key) if isinstance(key, str) else bytes(key) for key in public_keys]
        if not keys or any(len(key) != c_api.PUBLIC_KEY_SIZE for key in keys):
            raise Error("public_keys: expected keys of 32 bytes each, or of 64 hexadecimal digits")
        options.kept = b"".join(keys)  # As long as the options.
        options.public_keys = c.cast(c.c_char_p(options.kept), c.c_void_p)
        options.public_keys_size = len(options.kept)
    return options


class Model(_Owner):
    """An opened bundle: immutable, shared by threads, mapped and not read.

    Args:
        bundle: a path, or the bytes of a bundle (which are copied).
        copy: the file is copied into memory: it may then be written in place.
        public_keys: keys of Ed25519, as bytes or hexadecimal digits. A bundle that is not signed with one of them (`handpick
            sign`) is refused before anything in it is used. None: nobody looks at signatures.
    """

    def __init__(self, bundle, copy=False, public_keys=None):
        self._library = c_api.library()
        handle, failure = c.c_void_p(), c_api.Failure()
        if isinstance(bundle, (bytes, bytearray, memoryview)):
            data = np.frombuffer(bundle, np.uint8)
            options = _open_options(True, public_keys)
            status = self._library.hp_model_open_buffer(data.ctypes.data, data.size, options, handle, failure)
        else:
            options = _open_options(copy, public_keys)
            status = self._library.hp_model_open_file(os.fsencode(bundle), options, handle, failure)
        self._opened(status, handle, failure)

    @classmethod
    def from_fd(cls, fd, offset=0, length=-1, copy=False, public_keys=None):
        """Of a part of an open file; -1: to its end. The descriptor may be closed afterwards."""
        model = cls.__new__(cls)
        model._library = c_api.library()
        options = _open_options(copy, public_keys)
        handle, failure = c.c_void_p(), c_api.Failure()
        model._opened(model._library.hp_model_open_fd(fd, offset, length, options, handle, failure), handle, failure)
        return model

    def _opened(self, status, handle, failure):
        self._open_lock = threading.Lock()
        self._users = 0
        c_api.check(status, failure)
        self._handle = handle.value
        info = self._filled("hp_model_get_info", c_api.ModelInfo)
        self.features = [self._feature(number) for number in range(info.feature_count)]
        self._by_side = {side: {f.name: f for f in self.features if f.side == side} for side in c_api.SIDES}
        self.outputs = [self._output(number) for number in range(info.output_count)]

    def close(self):
        """Its sessions and overlays must be closed before."""
        if self._handle:
            with self._open_lock:
                if self._users:
                    raise Error(f"this model has {self._users} open sessions or overlays")
                handle, self._handle = self._handle, None
            self._library.hp_model_close(handle)

    def session(self, **options):
        """A user's session: see Session."""
        return Session(self, **options)

    def overlay(self, max_items):
        """Items that came after the bundle, for recall: see Overlay."""
        return Overlay(self, max_items)

    @property
    def info(self):
        """What the bundle is, as a dict: model_name, precision, bundle_bytes, catalog_items, ..."""
        info = self._filled("hp_model_get_info", c_api.ModelInfo)
        filled = {name: getattr(info, name) for name, *_ in info._fields_ if name != "struct_size"}
        for name in ("model_name", "model_version", "producer"):
            filled[name] = _text(filled[name])
        filled["precision"] = c_api.PRECISIONS.get(info.precision)
        filled["has_model"] = bool(info.has_model)
        return filled

    @property
    def recall_info(self):
        """Of the recall index, as a dict; None: there is none."""
        if self.info["recall_items"] == 0:
            return None
        info = self._filled("hp_model_get_recall_info", c_api.RecallInfo)
        filled = {name: getattr(info, name) for name, *_ in info._fields_ if name != "struct_size"}
        filled["metric"] = c_api.METRICS.get(info.metric)
        filled["id_type"] = "integer" if info.id_type == c_api.INT64 else "text"
        filled["has_user_vector"] = bool(info.has_user_vector)
        for name in ("history_feature", "candidate_feature"):
            number = filled[name]
            filled[name] = None if number == c_api.NO_FEATURE else self.features[number].name
        return filled

    def check(self):
        """Compares every byte with the hashes that the converter wrote."""
        failure = c_api.Failure()
        c_api.check(self._library.hp_model_check(self._use(), failure), failure)

    def check_in_parts(self, size=1 << 20):
        """The same, so many bytes at a time, for idle moments: yields after each part but the last. The model
        can't be closed meanwhile."""
        failure, check, done = c_api.Failure(), c.c_void_p(), c.c_int(0)
        c_api.check(self._library.hp_check_new(self._use(), check, failure), failure)
        self._count(1)
        try:
            while True:
                c_api.check(self._library.hp_check_next(check, size, done, failure), failure)
                if done.value:
                    return
                yield
        finally:
            self._library.hp_check_free(check)
            self._count(-1)

    def output(self, name):
        """The number of the output of that name."""
        for output in self.outputs:
            if output.name == name:
                return output.number
        raise Error(f"no output '{name}'; there are: {', '.join(output.name for output in self.outputs)}")

    def _filled(self, function, struct, *arguments):
        info = c_api.fresh(struct)
        c_api.check(getattr(self._library, function)(self._use(), *arguments, info))
        return info

    def _feature(self, number):
        info = self._filled("hp_model_get_feature", c_api.FeatureInfo, number)
        side = next(name for name, value in c_api.SIDES.items() if value == info.side)
        return Feature(number, side, _text(info.name), c_api.FEATURE_TYPES.get(info.type), info.value_types, info.max_values,
                       info.dimension, bool(info.optional), bool(info.is_catalog_key), _text(info.sequence), info.max_events)

    def _output(self, number):
        info = self._filled("hp_model_get_output", c_api.OutputInfo, number)
        return Output(number, _text(info.name), c_api.TASKS.get(info.task))

    def _batch(self, side, values, **options):
        return Batch(self._by_side[side], values, **options)

    def _count(self, change):
        with self._open_lock:
            self._use()
            self._users += change


class Session(_Owner):
    """One user's context and history.

    Args:
        model: the Model; it stays open as long as the session is.
        workers: threads that score candidates together.
        tile, recall_k, recall_interests, recall_probes: as in hp_session_options; 0: its defaults.
    """

    def __init__(self, model, workers=1, tile=0, recall_k=0, recall_interests=0, recall_probes=0):
        self._lock = threading.Lock()
        self._pool = None
        self.model = model
        self._library = c_api.library()
        options = c_api.fresh(c_api.SessionOptions)
        options.tile, options.workers = tile, workers
        options.recall_k, options.recall_interests, options.recall_probes = recall_k, recall_interests, recall_probes
        if workers > 1:
            self._pool = ThreadPoolExecutor(workers)
            options.parallel_for = self._parallel_for = c_api.PARALLEL_FOR(self._run_tasks)
        handle, failure = c.c_void_p(), c_api.Failure()
        model._count(1)
        status = self._library.hp_session_new(model._use(), options, handle, failure)
        if status != c_api.OK:
            model._count(-1)
            c_api.check(status, failure)
        self._handle = handle.value
        size = c.c_size_t()
        c_api.check(self._library.hp_session_memory_size(model._use(), options, size, failure), failure)
        self.memory_size = size.value  #: Bytes that the session takes.

    def _run_tasks(self, _, count, task, opaque):
        for future in [self._pool.submit(task, opaque, i) for i in range(count)]:
            future.result()

    def close(self):
        if self._handle:
            handle, self._handle = self._handle, None
            self._library.hp_session_free(handle)
            self.model._count(-1)
            if self._pool:
                self._pool.shutdown()

    def set_context(self, values):
        """Sets the user's features: name -> value. Those left out take their defaults."""
        self._call("hp_session_set_context", self.model._batch("context", values, one_row=True))

    def append_events(self, values):
        """Appends events, oldest first: name -> one entry an event."""
        self._call("hp_session_append_events", self.model._batch("history", values))

    def set_history(self, values):
        """Replaces the history; {} empties it."""
        self._call("hp_session_set_history", self.model._batch("history", values))

    def score(self, candidates, rows=0, outputs=None, logits=False):
        """Scores candidates: name -> one entry a candidate.

        Args:
            rows: how many, where no value is given.
            outputs: names of outputs; None: what the model ranks by.
            logits: also returns what was before the sigmoid.
        Returns:
            Scores [rows], or with `outputs` [rows, outputs]; with `logits` (scores, logits). float32.
        """
        batch = self.model._batch("candidate", candidates, rows=rows)
        numbers = np.array([0] if outputs is None else [self.model.output(name) for name in outputs], np.uint32)
        shape = (batch.rows,) if outputs is None else (batch.rows, len(numbers))
        scores = np.empty(shape, np.float32)
        before = np.empty(shape, np.float32) if logits else None
        self._call("hp_session_score_outputs", batch, numbers.ctypes.data, len(numbers), scores.ctypes.data,
                   before.ctypes.data if logits else None)
        return (scores, before) if logits else scores

    def rank(self, candidates, k, rows=0, output=None):
        """The best k candidates, best first, as an array with fields "index", "score" and "logit".

        Args:
            candidates, rows: as in score().
            output: name of an output to rank by; None: the model's own.
        """
        batch = self.model._batch("candidate", candidates, rows=rows)
        options = c_api.fresh(c_api.RankOptions)
        options.output = 0 if output is None else self.model.output(output)
        ranked = np.empty(min(k, batch.rows), _RANKED)
        count = c.c_size_t()
        self._call("hp_session_rank_by", batch, options, len(ranked), ranked.ctypes.data, count)
        return ranked[:count.value]

    def recall(self, k, **options):
        """The k items nearest to the user, best first, as Recalled.

        Args:
            user: "mean", "recent" (with half_life, in events), "interests" (with interests), "vector" (with vector) or "model".
            exact: compares all item vectors.
            keep_seen: items of the history may be answered.
            filters: conditions on the catalog: any_of("genre", ["Drama"]), none_of(...), in_range("year", low=1990).
            exclude: ids to leave out.
            accepts: a function of an id; what it is false for is left out.
            overlay: items that came after the bundle.
            probes: buckets per table; 0: as the index says.
        """
        with self._recall_options(k, options) as given:
            items = (c_api.Recalled * k)()
            count = c.c_size_t()
            self._call("hp_session_recall", given, items, count)
        return [Recalled(self._id(item.id), item.score, item.item == c_api.OVERLAY_ITEM) for item in items[:count.value]]

    def recommend(self, k, recall=200, output=None, **options):
        """Recalls `recall` items, ranks them, and answers the best k as Recommended. Options: as of recall()."""
        with self._recall_options(recall, options) as given:
            given.rank_output = 0 if output is None else self.model.output(output)
            items = (c_api.Recommended * k)()
            count = c.c_size_t()
            self._call("hp_session_recommend", given, k, items, count)
        return [Recommended(self._id(item.id), item.score, item.logit, item.recall_score, item.item == c_api.OVERLAY_ITEM)
                for item in items[:count.value]]

    @property
    def recall_report(self):
        """Why the last recall found what it found."""
        report = c_api.fresh(c_api.RecallReport)
        self._call("hp_session_get_recall_report", report)
        return RecallReport(c_api.OUTCOMES[report.outcome], report.events, report.searches, bool(report.exact), report.rows_scanned,
                            report.buckets)

    def check_goldens(self):
        """Replays the golden requests of the bundle. Returns the largest error; the user is forgotten."""
        worst = c.c_float()
        self._call("hp_session_check_goldens", worst)
        return worst.value

    def _call(self, function, *arguments):
        if not self._lock.acquire(blocking=False):
            raise Error("this session is in use by another thread: one thread at a time")
        try:
            handle = self._use()
            # A batch lives as long as the call that reads it.
            given = [argument.struct if isinstance(argument, Batch) else argument for argument in arguments]
            status = getattr(self._library, function)(handle, *given)
            c_api.check(status, self._library.hp_session_last_error(handle).contents if status else None)
        finally:
            self._lock.release()

    @staticmethod
    def _id(given):
        return c.string_at(given.string.data, given.string.size).decode("utf-8") if given.string.data else given.integer

    @contextmanager
    def _recall_options(self, k, options):
        """The struct, and in `kept` what it points into while it is used."""
        known = {"user": "mean", "half_life": 0.0, "interests": 0, "vector": None, "exact": False, "keep_seen": False, "filters": (),
                 "exclude": (), "accepts": None, "overlay": None, "probes": 0}
        for name in options:
            if name not in known:
                raise TypeError(f"no option '{name}'; there are: {', '.join(known)}")
        given = {**known, **options}
        if given["user"] not in c_api.USER_VECTORS:
            raise Error(f"user: '{given['user']}' is none of {', '.join(c_api.USER_VECTORS)}")
        kept, failures = [], []
        struct = c_api.fresh(c_api.RecallOptions)
        struct.filter_size = c.sizeof(c_api.Filter)
        struct.k, struct.user = k, c_api.USER_VECTORS[given["user"]]
        struct.half_life, struct.interests, struct.probes = given["half_life"], given["interests"], given["probes"]
        struct.exact, struct.keep_seen = bool(given["exact"]), bool(given["keep_seen"])
        if given["vector"] is not None:
            vector = np.ascontiguousarray(given["vector"], np.float32)
            kept.append(vector)
            struct.vector, struct.vector_size = vector.ctypes.data, vector.size
        filters = [self._filter(one, kept) for one in given["filters"]]
        struct.filters, struct.filter_count = (c_api.Filter * len(filters))(*filters), len(filters)
        struct.excluded_integers, struct.excluded_strings = _ids("exclude", given["exclude"], kept)
        struct.excluded_count = len(given["exclude"])
        if given["accepts"] is not None:
            def accepts(_, __, item):
                # Nothing may be raised through C; the first error is raised behind the call.
                try:
                    return not failures and bool(given["accepts"](self._id(item.contents)))
                except BaseException as failure:  # pylint: disable=broad-except
                    failures.append(failure)
                    return 0
            struct.accepts = c_api.ACCEPTS(accepts)
        if given["overlay"] is not None:
            struct.overlay = given["overlay"]._use()
        yield struct
        if failures:
            raise failures[0]

    def _filter(self, given, kept):
        feature = self.model._by_side["candidate"].get(given.feature)
        if feature is None:
            raise Error(f"filter: no candidate feature '{given.feature}'")
        struct = c_api.Filter(kind=c_api.FILTERS[given.kind], feature=feature.number, type=c_api.INT64, element=given.element,
                              low=given.low, high=given.high, count=len(given.ids))
        struct.integers, struct.strings = _ids(f"filter of '{given.feature}'", given.ids, kept)
        if struct.strings:
            struct.type = c_api.STRING
        return struct


def _ids(what, given, kept):
    """(integers, strings) of which one is null."""
    if len(given) == 0:
        return None, None
    if is_text(given):
        table, joined = strings(given)
        kept += [table, joined]
        return None, table.ctypes.data
    array = integers(what, given)
    kept.append(array)
    return array.ctypes.data, None


class Overlay(_Owner):
    """Items that came after the bundle, and items of it that are hidden. Changed by one thread, while no session recalls with it."""

    def __init__(self, model, max_items):
        self.model = model
        self._library = c_api.library()
        size, failure = c.c_size_t(), c_api.Failure()
        c_api.check(self._library.hp_recall_overlay_memory_size(model._use(), max_items, size, failure), failure)
        self._memory = c.create_string_buffer(size.value + c_api.ALIGNMENT)
        start = -(-c.addressof(self._memory) // c_api.ALIGNMENT) * c_api.ALIGNMENT
        handle = c.c_void_p()
        c_api.check(self._library.hp_recall_overlay_create(model._use(), max_items, start, size.value, handle, failure), failure)
        model._count(1)
        self._handle = handle.value

    def close(self):
        if self._handle:
            self._handle = self._memory = None
            self.model._count(-1)

    def add(self, item, vector):
        """Adds an item: its id, and its vector in the space of the index."""
        numbers = np.ascontiguousarray(vector, np.float32)
        self._change("add", item, numbers.ctypes.data, numbers.size)

    def remove(self, item):
        """Removes an item that was added."""
        self._change("remove", item)

    def hide(self, item):
        """Hides an item of the bundle: it is not recalled any more."""
        self._change("hide", item)

    def show(self, item):
        """Shows a hidden item again."""
        self._change("show", item)

    def _change(self, function, item, *arguments):
        given = c_api.ItemId()
        if isinstance(item, (str, bytes)):
            table, joined = strings([item])  # `joined` lives until the call is over.
            given.string = c_api.String(int(table["data"][0]), int(table["size"][0]))
        else:
            joined = None
            given.integer = int(item)
        failure = c_api.Failure()
        status = getattr(self._library, "hp_recall_overlay_" + function)(self._use(), given, *arguments, failure)
        del joined
        c_api.check(status, failure)
