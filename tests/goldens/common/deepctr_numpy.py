"""DeepCTR (TensorFlow) in NumPy, float64: what its layers and models compute when they predict.

Written from the source of DeepCTR 0.9.4, commit 1b5fe40e158d1ee6af8b1d9df217a5ed5aea9136, file by file and class by class, for a
machine without TensorFlow; no line of it is copied. Each class and function names the one that it stands for. Tensors have the
names that tf.keras gives them in .h5 weights: a layer's path and the variable, "dnn/kernel0:0". Layers are made in the order of
the source, because Keras numbers them so.

Every forward pass is straight-line code: names are given out anew (Keras.begin), and a tensor is drawn when its name is first wanted.
"""

import itertools

import numpy as np

from columns import Dense as DenseFeat
from columns import History, Sequence, Sparse

VARLEN = (Sequence, History)


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


class Keras:
    """Names of layers and random weights, as float32."""

    def __init__(self, seed, made_before=0, release_names=False):
        """made_before: layers of each kind that the process had made. release_names: tables as up to the tag v0.9.4."""
        self.tensors = {}
        self.made_before, self.release_names = made_before, release_names
        self._rng = np.random.default_rng(seed)
        self._made = {}

    def begin(self):
        self._made = {}

    def unique(self, kind):
        """tf.keras.backend.unique_object_name(kind, zero_based=True)."""
        number = self._made.get(kind, self.made_before)
        self._made[kind] = number + 1
        return kind if number == 0 else f"{kind}_{number}"

    def get(self, name, shape, scale=0.3, centre=0.0):
        if name not in self.tensors:
            self.tensors[name] = (centre + scale * self._rng.standard_normal(shape)).astype(np.float32)
        assert self.tensors[name].shape == tuple(shape), name
        return self.tensors[name].astype(np.float64)

    def kernel(self, name, rows, columns, gain=1.5):
        return self.get(name, (rows, columns), gain / rows ** 0.5)

    def variance(self, name, n):
        if name not in self.tensors:
            self.tensors[name] = (0.2 + self._rng.random(n)).astype(np.float32)
        return self.tensors[name].astype(np.float64)


# ---- layers/activation.py, layers/core.py, layers/utils.py; Keras' own ----------------------------


def batch_normalization(keras, path, x, epsilon=1e-3, affine=True):
    """keras.layers.BatchNormalization by its moving statistics; axis -1, epsilon 1e-3 unless a layer says otherwise."""
    n = x.shape[-1]
    mean, variance = keras.get(f"{path}/moving_mean:0", (n,)), keras.variance(f"{path}/moving_variance:0", n)
    y = (x - mean) / np.sqrt(variance + epsilon)
    if affine:
        y = y * keras.get(f"{path}/gamma:0", (n,), 0.3, 1.0) + keras.get(f"{path}/beta:0", (n,))
    return y


def dice(keras, path, x):
    """layers/activation.py, Dice: BatchNormalization with epsilon=1e-9, center=False, scale=False."""
    normed = batch_normalization(keras, f"{path}/{keras.unique('batch_normalization')}", x, 1e-9, affine=False)
    p = sigmoid(normed)
    return keras.get(f"{path}/dice_alpha:0", (x.shape[-1],)) * (1 - p) * x + p * x


def dnn(keras, x, hidden_units, activation, use_bn=False, scope="", name=None):
    """layers/core.py, DNN: x kernel + bias, batch normalisation, activation, in every layer."""
    path = scope + (name or keras.unique("dnn"))
    # build() makes all normalisations first, then all activations.
    norms = [keras.unique("batch_normalization") for _ in hidden_units] if use_bn else []
    kinds = {"dice": "dice", "prelu": "p_re_lu"}
    activations = [keras.unique(kinds.get(activation, "activation")) for _ in hidden_units]
    for i, units in enumerate(hidden_units):
        x = x @ keras.kernel(f"{path}/kernel{i}:0", x.shape[-1], units) + keras.get(f"{path}/bias{i}:0", (units,))
        if use_bn:
            x = batch_normalization(keras, f"{path}/{norms[i]}", x)
        if activation == "dice":
            x = dice(keras, f"{path}/{activations[i]}", x)
        elif activation == "prelu":  # keras.layers.PReLU: a slope for each unit.
            alpha = keras.get(f"{path}/{activations[i]}/alpha:0", x.shape[1:], 0.1, 0.25)
            x = np.maximum(x, 0) + alpha * np.minimum(x, 0)
        else:
            x = {"relu": lambda y: np.maximum(y, 0), "sigmoid": sigmoid, "tanh": np.tanh, "linear": lambda y: y}[activation](x)
    return x


def dense(keras, x, units=1, name=None):
    """keras.layers.Dense(units, use_bias=False)."""
    return x @ keras.kernel(f"{name or keras.unique('dense')}/kernel:0", x.shape[-1], units)


def prediction(keras, logit, name=None):
    """layers/core.py, PredictionLayer, before its sigmoid."""
    return logit[:, 0] + keras.get(f"{name or keras.unique('prediction_layer')}/global_bias:0", (1,))[0]


def local_activation_unit(keras, query, keys, hidden_units, activation, scope):
    """layers/core.py, LocalActivationUnit. query: [rows, width], keys: [rows, events, width]; scores [rows, events]."""
    path = scope + keras.unique("local_activation_unit")
    queries = np.repeat(query[:, None, :], keys.shape[1], axis=1)
    x = np.concatenate([queries, keys, queries - keys, queries * keys], axis=-1)
    x = dnn(keras, x, hidden_units, activation, scope=path + "/")
    kernel = keras.kernel(f"{path}/kernel:0", x.shape[-1], 1, 2.0)
    return (x @ kernel + keras.get(f"{path}/bias:0", (1,)))[:, :, 0]


# ---- layers/sequence.py, contrib/utils.py ---------------------------------------------------------


def sequence_pooling(mode, values, mask, count):
    """SequencePoolingLayer. values: [rows, T, width]; mask: [rows, T]; count: [rows], what a mean divides by."""
    mask = mask.astype(np.float64)[:, :, None]
    if mode == "max":  # In float32 1e9 swallows what it is subtracted from.
        shifted = values.astype(np.float32) - ((1 - mask) * 1e9).astype(np.float32)
        return shifted.max(axis=1).astype(np.float64)
    total = (values * mask).sum(axis=1)
    return total if mode == "sum" else total / (count.astype(np.float64)[:, None] + 1e-8)


def attention_scores(keras, query, keys, mask, units, activation, normalization):
    """AttentionSequencePoolingLayer with return_score."""
    path = keras.unique("attention_sequence_pooling_layer")
    scores = local_activation_unit(keras, query, keys, units, activation, path + "/")
    scores = np.where(mask, scores, -2.0 ** 32 + 1 if normalization else 0.0)
    return softmax(scores) if normalization else scores


def dynamic_gru(keras, name, cell, inputs, lengths, attention=None):
    """DynamicGRU over contrib/rnn_v2.py, dynamic_rnn: [rows, T, width] of outputs (0 behind the length), and the last state.

    cell: GRU is tf.nn.rnn_cell.GRUCell, AGRU contrib/utils.py's QAAttGRUCell, AUGRU its VecAttGRUCell.
    """
    rows, events, width = inputs.shape
    path = f"{name}/{keras.unique('gru_cell')}" if cell == "GRU" else name
    gates = keras.kernel(f"{path}/gates/kernel:0", 2 * width, 2 * width, 1.2)
    gates_bias = keras.get(f"{path}/gates/bias:0", (2 * width,), 0.3, 0.5)
    candidate = keras.kernel(f"{path}/candidate/kernel:0", 2 * width, width, 1.2)
    candidate_bias = keras.get(f"{path}/candidate/bias:0", (width,))
    state, outputs = np.zeros((rows, width)), np.zeros((rows, events, width))
    for t in range(events):
        x = inputs[:, t]
        r, u = np.split(sigmoid(np.concatenate([x, state], axis=1) @ gates + gates_bias), 2, axis=1)
        c = np.tanh(np.concatenate([x, r * state], axis=1) @ candidate + candidate_bias)
        if cell == "AGRU":
            a = attention[:, t, None]
            new = (1 - a) * state + a * c
        else:
            if cell == "AUGRU":
                u = (1 - attention[:, t, None]) * u
            new = u * state + (1 - u) * c
        is_there = (t < lengths)[:, None]
        outputs[:, t] = np.where(is_there, new, 0)
        state = np.where(is_there, new, state)
    return outputs, state


# ---- layers/interaction.py ------------------------------------------------------------------------


def bi_interaction(fields):
    """BiInteractionPooling; FM is the sum of its columns."""
    stacked = np.stack(fields, axis=1)
    return 0.5 * (stacked.sum(axis=1) ** 2 - (stacked ** 2).sum(axis=1))


def fm(fields):
    return bi_interaction(fields).sum(axis=1, keepdims=True)


def pairs_of(fields):
    pairs = list(itertools.combinations(range(len(fields)), 2))
    return np.stack([fields[i] for i, _ in pairs], axis=1), np.stack([fields[j] for _, j in pairs], axis=1)


def inner_products(fields):
    p, q = pairs_of(fields)
    return (p * q).sum(axis=2)


def outer_products(keras, fields, form):
    """OutterProductLayer."""
    p, q = pairs_of(fields)
    count, k = p.shape[1:]
    path = keras.unique("outter_product_layer")
    if form == "mat":
        kernel = keras.get(f"{path}/kernel:0", (k, count, k), 0.6)
        # tf.multiply(p, kernel), summed over the last axis: [rows, k, pairs]; turned, times q.
        return ((p[:, None] * kernel).sum(axis=-1).transpose(0, 2, 1) * q).sum(axis=-1)
    kernel = keras.get(f"{path}/kernel:0", (count, k if form == "vec" else 1), 0.8)
    return (p * q * kernel).sum(axis=-1)


def cross_net(keras, x0, layers, parameterization):
    path = keras.unique("cross_net")
    width = x0.shape[1]
    x = x0
    for i in range(layers):
        bias = keras.get(f"{path}/bias{i}:0", (width, 1))[:, 0]
        if parameterization == "vector":
            x = x0 * (x @ keras.get(f"{path}/kernel{i}:0", (width, 1), 0.5 / width ** 0.5)) + bias + x
        else:  # einsum('ij,bjk->bik'): the kernel's rows are outputs.
            x = x0 * (x @ keras.get(f"{path}/kernel{i}:0", (width, width), 0.5 / width ** 0.5).T + bias) + x
    return x


def afm(keras, fields, factor):
    """AFMLayer."""
    p, q = pairs_of(fields)
    k, products = p.shape[2], p * q
    path = keras.unique("afm_layer")
    hidden = np.maximum(products @ keras.get(f"{path}/attention_W:0", (k, factor), 0.8)
                        + keras.get(f"{path}/attention_b:0", (factor,)), 0)
    weights = softmax(hidden @ keras.get(f"{path}/projection_h:0", (factor, 1), 1.5), axis=1)
    return (weights * products).sum(axis=1) @ keras.get(f"{path}/projection_p:0", (k, 1), 2.0)


# ---- inputs.py, feature_column.py -----------------------------------------------------------------


class Inputs:
    """Rows of candidates. Columns by their keys; `events`: how many there are, in a model with a history."""

    def __init__(self, columns, seens):
        self.columns = {column.key: column for column in columns}
        self._seens = seens

    def array(self, key):
        return np.array([seen[key] for seen in self._seens])

    def numbers(self, key):
        return self.array(key).reshape(len(self._seens), -1).astype(np.float64)


def table_name(keras, columns, column, prefix):
    """create_embedding_dict. `columns`: all of the part."""
    is_single = any(isinstance(c, Sparse) and c.table == column.table for c in columns)
    if keras.release_names and any(isinstance(c, VARLEN) and c.table == column.table for c in columns):
        is_single = False  # The table of the sequence takes the other one's place.
    return f"{prefix}sparse_{'' if is_single else 'seq_'}emb_{column.table}"


def embedded(keras, inputs, columns, column, prefix="", width=None):
    """embedding_lookup: [rows, width], or [rows, T, width] of a sequence."""
    table = keras.get(f"{table_name(keras, columns, column, prefix)}/embeddings:0",
                      (column.size, width or column.dimension), 0.6)
    return table[inputs.array(column.key)]


def pooled(keras, inputs, columns, column, prefix="", width=None):
    """get_varlen_pooling_list of one column: by the length if it has one, else by mask_zero."""
    values = embedded(keras, inputs, columns, column, prefix, width)
    if column.length:
        count = inputs.array(column.length)
        mask = np.arange(values.shape[1])[None, :] < count[:, None]
    else:
        mask = inputs.array(column.key) != 0
        count = mask.sum(axis=1)
    return sequence_pooling(column.combiner, values, mask, count)


def of_kind(columns, kind):
    return [c for c in columns if isinstance(c, kind)]


def from_columns(keras, inputs, columns, prefix="", width=None):
    """input_from_feature_columns: embeddings of ids, then of sequences; and numbers."""
    fields = [embedded(keras, inputs, columns, c, prefix, width) for c in of_kind(columns, Sparse)]
    fields += [pooled(keras, inputs, columns, c, prefix, width) for c in of_kind(columns, VARLEN)]
    return fields, [inputs.numbers(c.key) for c in of_kind(columns, DenseFeat)]


def linear_logit(keras, inputs, columns):
    """get_linear_logit, with layers/utils.py, Linear: [rows, 1]. No columns: 0."""
    if not columns:
        return 0.0
    fields, numbers = from_columns(keras, inputs, columns, prefix="linear0", width=1)
    path = keras.unique("linear")
    logit = np.sum(fields, axis=0) if fields else 0.0
    if numbers:
        x = np.concatenate(numbers, axis=1)
        logit = logit + x @ keras.kernel(f"{path}/linear_kernel:0", x.shape[1], 1, 0.8)
    return logit


def joined(fields, numbers):
    """layers/utils.py, combined_dnn_input."""
    return np.concatenate(fields + numbers, axis=1)


# ---- models/*.py: logits by the name of the output ("": the only one) -----------------------------


def wdl(keras, inputs, v):
    linear = linear_logit(keras, inputs, [*v.linear, *v.linear_alone])
    x = dnn(keras, joined(*from_columns(keras, inputs, v.columns)), v.hidden_units, v.activation)
    return {"": prediction(keras, dense(keras, x) + linear)}


def deepfm(keras, inputs, v):
    linear = linear_logit(keras, inputs, [*v.linear, *v.linear_alone])
    fields, numbers = from_columns(keras, inputs, v.columns)
    x = dnn(keras, joined(fields, numbers), v.hidden_units, v.activation, v.use_bn)
    return {"": prediction(keras, linear + dense(keras, x) + fm(fields))}


def nfm(keras, inputs, v):
    linear = linear_logit(keras, inputs, [*v.linear, *v.linear_alone])
    fields, numbers = from_columns(keras, inputs, v.columns)
    x = dnn(keras, joined([bi_interaction(fields)], numbers), v.hidden_units, v.activation)
    return {"": prediction(keras, linear + dense(keras, x))}


def pnn(keras, inputs, v):
    fields, numbers = from_columns(keras, inputs, v.columns)
    products = [inner_products(fields)] if v.inner else []
    if v.outer != "none":
        products.append(outer_products(keras, fields, v.outer))
    x = dnn(keras, joined(fields + products, numbers), v.hidden_units, v.activation)
    return {"": prediction(keras, dense(keras, x))}


def dcn(keras, inputs, v):
    linear = linear_logit(keras, inputs, [*v.linear, *v.linear_alone])
    x = joined(*from_columns(keras, inputs, v.columns))
    deep = [dnn(keras, x, v.hidden_units, v.activation, v.use_bn)] if v.hidden_units else []
    ends = [cross_net(keras, x, v.cross_num, v.parameterization)] + deep
    return {"": prediction(keras, dense(keras, np.concatenate(ends, axis=1)) + linear)}


def afm_model(keras, inputs, v):
    """models/afm.py; attention_factor 0: use_attention=False."""
    fields, _ = from_columns(keras, inputs, v.columns)
    linear = linear_logit(keras, inputs, [*v.linear, *v.linear_alone])
    return {"": prediction(keras, linear + (afm(keras, fields, v.factor) if v.factor else fm(fields)))}


def attended(keras, inputs, v):
    """What DIN and DIEN compare: query [rows, width], keys [rows, T, width], each in the order of the columns."""
    query = np.concatenate([embedded(keras, inputs, v.columns, c) for c in of_kind(v.columns, Sparse) if c.key in v.history],
                           axis=1)
    events = [c for c in of_kind(v.columns, VARLEN) if c.key in {"hist_" + key for key in v.history}]
    return query, np.concatenate([embedded(keras, inputs, v.columns, c) for c in events], axis=2), events


def with_history(keras, inputs, v, events, history):
    """Ids, sequences that are no history, what is attended to, numbers."""
    fields = [embedded(keras, inputs, v.columns, c) for c in of_kind(v.columns, Sparse)]
    fields += [pooled(keras, inputs, v.columns, c) for c in of_kind(v.columns, VARLEN) if c not in events]
    x = joined(fields + [history], [inputs.numbers(c.key) for c in of_kind(v.columns, DenseFeat)])
    x = dnn(keras, x, v.hidden_units, v.activation, v.use_bn)
    return {"": prediction(keras, dense(keras, x))}


def din(keras, inputs, v):
    query, keys, events = attended(keras, inputs, v)
    # layers/utils.py, Concat.compute_mask: an event counts where no id of it is 0.
    mask = np.all([inputs.array(c.key) != 0 for c in events], axis=0)
    weights = attention_scores(keras, query, keys, mask, v.unit, v.unit_activation, v.softmax)
    return with_history(keras, inputs, v, events, (weights[:, :, None] * keys).sum(axis=1))


def dien(keras, inputs, v):
    query, keys, events = attended(keras, inputs, v)
    lengths = inputs.array(History.length)
    mask = np.arange(keys.shape[1])[None, :] < lengths[:, None]
    interests, _ = dynamic_gru(keras, "gru1", "GRU", keys, lengths)
    if v.cell == "GRU":
        states, _ = dynamic_gru(keras, "gru2", "GRU", interests, lengths)
        weights = attention_scores(keras, query, states, mask, v.unit, v.unit_activation, v.softmax)
        history = (weights[:, :, None] * states).sum(axis=1)
    else:
        weights = attention_scores(keras, query, interests, mask, v.unit, v.unit_activation, v.softmax)
        if v.cell == "AIGRU":
            _, history = dynamic_gru(keras, "gru2", "GRU", interests * weights[:, :, None], lengths)
        else:
            _, history = dynamic_gru(keras, "gru2", v.cell, interests, lengths, weights)
    return with_history(keras, inputs, v, events, history)


def tasks_of(keras, v, shared):
    """The towers of models/multitask. shared: the input of each task."""
    logits = {}
    for task, x in zip(v.tasks, shared):
        x = dnn(keras, x, v.tower_units, v.activation, v.use_bn, name="tower_" + task)
        logits[task] = prediction(keras, dense(keras, x), task)
    return logits


def shared_bottom(keras, inputs, v):
    x = joined(*from_columns(keras, inputs, v.columns))
    x = dnn(keras, x, v.hidden_units, v.activation, v.use_bn)
    return tasks_of(keras, v, [x] * len(v.tasks))


def mmoe(keras, inputs, v):
    x = joined(*from_columns(keras, inputs, v.columns))
    experts = np.stack([dnn(keras, x, v.hidden_units, v.activation, v.use_bn, name=f"expert_{e}")
                        for e in range(v.experts)], axis=1)
    shared = []
    for task in v.tasks:
        gate = dnn(keras, x, v.gate_units, v.activation, v.use_bn, name="gate_" + task)
        weights = softmax(dense(keras, gate, v.experts, "gate_softmax_" + task))
        shared.append((experts * weights[:, :, None]).sum(axis=1))
    return tasks_of(keras, v, shared)


def esmm(keras, inputs, v):
    x = joined(*from_columns(keras, inputs, v.columns))
    ctr, cvr = (dnn(keras, x, v.hidden_units, v.activation, v.use_bn) for _ in range(2))
    ctr, cvr = dense(keras, ctr), dense(keras, cvr)
    return {"ctr": prediction(keras, ctr, "ctr"), "cvr": prediction(keras, cvr)}


MODELS = {"wide_deep": wdl, "deepfm": deepfm, "nfm": nfm, "pnn": pnn, "dcn": dcn, "afm": afm_model, "fm": afm_model,
          "din": din, "dien": dien, "shared_bottom": shared_bottom, "mmoe": mmoe, "esmm": esmm}
