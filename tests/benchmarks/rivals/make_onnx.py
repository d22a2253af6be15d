"""The standard workloads as ONNX files, in several forms.

    make_onnx.py WEIGHTS_DIRECTORY OUTPUT_DIRECTORY [WORKLOAD...]

Reads WORKLOAD.safetensors as write_weights made them and writes WORKLOAD.CATEGORY.FORM.onnx and WORKLOAD.json,
which lists the files by category:

    exported  one row per candidate from the start: what a trainer's export gives
    split     what depends on the user alone has one row, first layers are split accordingly
    folded    besides, the attention unit's first layer on [q, k, q-k, q*k] is taken apart (w3_din, w4_dien)
    int8      split or folded, with dense layers as dynamically quantised products

A category has several forms where it cannot be told beforehand which of them ONNX Runtime is fastest with; the
runner measures all of them and keeps the best. The number of candidates and events is fixed in the file, so that
nothing about shapes is left for run time.

Inputs: context_ids [1, fields], context_numbers [1, 13], history_ids [events, 2], candidate_ids [N, fields].
Outputs: scores [N], logits [N]. Needs numpy and onnx; tested with Debian 12's.
"""

import hashlib
import json
import os
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CANDIDATES = {"w1_wide_deep": 500, "w2_nfm": 500, "w3_din": 200, "w4_dien": 200, "w5_deepfm": 500, "w6_dcn": 500,
              "w7_pnn": 500, "w8_afm": 500}
EVENTS = 50
OPSET = 17
IR_VERSION = 8
CONTRIB = "com.microsoft"


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype="<f4")
        tensors[name] = array.reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and constants of a graph under construction; values are referred to by name."""

    def __init__(self, name, int8=False):
        self.name = name
        self.int8 = int8
        self.nodes = []
        self.constants = []
        self.inputs = []
        self.known = {}
        self.count = 0

    def fresh(self, prefix):
        self.count += 1
        return f"{self.name}_{prefix}_{self.count}"

    def input(self, name, shape, kind=TensorProto.INT64):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def const(self, array, dtype=np.float32):
        """Equal constants are one: the steps of an unrolled recurrence share their weights."""
        array = np.array(array, dtype=dtype, order="C")
        key = (array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest())
        if key not in self.known:
            self.known[key] = self.fresh("const")
            self.constants.append(numpy_helper.from_array(array, self.known[key]))
        return self.known[key]

    def ints(self, *values):
        return self.const(np.array(values), np.int64)

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        names = [self.fresh(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def reshape(self, value, *shape):
        return self.op("Reshape", value, self.ints(*shape))

    def expand(self, value, *shape):
        return self.op("Expand", value, self.ints(*shape))

    def columns(self, value, count):
        """The columns of [rows, count], each [rows, 1]."""
        return [value] if count == 1 else self.op("Split", value, outputs=count, axis=1)

    def dense(self, value, weight, bias, row=None, precise=False):
        """[rows, in] -> [rows, out]. `weight` is [out, in]. `row`: a value [1, out] instead of the bias.
        In int8 unless `precise` or a single output, where quantising would cost more than the product."""
        weight = np.asarray(weight)
        if not self.int8 or precise or weight.shape[0] == 1:
            offset = row if row is not None else self.const(bias)
            return self.op("Gemm", value, self.const(weight), offset, transB=1)
        # One scale per output, symmetric.
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
        levels = np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)
        inputs = [value, self.const(levels.T, np.int8), self.const(scale)]
        inputs.append(self.const(np.zeros(len(scale)), np.int8))
        if row is None and bias is not None:
            inputs.append(self.const(bias))
        product = self.op("DynamicQuantizeMatMul", *inputs, domain=CONTRIB)
        return product if row is None else self.op("Add", product, row)

    def product(self, value, weight):
        """[rows, in] -> [rows, out] without a bias."""
        if self.int8:
            return self.dense(value, weight, None)
        return self.op("MatMul", value, self.const(np.asarray(weight).T))

    def save(self, logits, candidates, path):
        self.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
        self.nodes.append(helper.make_node("Sigmoid", [logits], ["scores"]))
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [candidates])
            for name in ("scores", "logits")
        ]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, outputs, self.constants)
        model = helper.make_model(
            graph,
            producer_name="handpick benchmarks",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
        )
        onnx.save(model, path)


# ---- w1_wide_deep, w2_nfm ----

CONTEXT_FIELDS = 18
CANDIDATE_FIELDS = 8
NUMBERS = 13


def field_names():
    return [f"context_{i}" for i in range(CONTEXT_FIELDS)] + [f"candidate_{i}" for i in range(CANDIDATE_FIELDS)]


class Fields:
    """What w1_wide_deep and w2_nfm share: 26 fields and 13 numbers."""

    def __init__(self, weights, candidates):
        self.weights = weights
        self.candidates = candidates
        self.deep = [weights[f"deep.embedding.{name}.weight"] for name in field_names()]
        self.wide = [weights.get(f"wide.embedding.{name}.weight") for name in field_names()]

    def inputs(self, graph):
        graph.input("context_ids", [1, CONTEXT_FIELDS])
        graph.input("context_numbers", [1, NUMBERS], TensorProto.FLOAT)
        graph.input("candidate_ids", [self.candidates, CANDIDATE_FIELDS])

    def network(self, graph, value, row=None, first=None):
        """The hidden layers and the head, [N, 1]. `first`, `row`: the first layer's weights that are left for
        `value`, and the rest of the layer as a row."""
        weights = self.weights
        layer = 0
        while f"deep.layers.{layer}.weight" in weights:
            weight = weights[f"deep.layers.{layer}.weight"]
            bias = weights[f"deep.layers.{layer}.bias"]
            if layer == 0 and row is not None:
                value = graph.dense(value, first, None, row)
            else:
                value = graph.dense(value, weight, bias)
            value = graph.op("Relu", value)
            layer += 1
        return graph.dense(value, weights["head.weight"], weights["head.bias"])

    # As exported: a lookup per field, all of them for every candidate.

    def exported_columns(self, graph):
        n = self.candidates
        context = graph.columns(graph.expand("context_ids", n, CONTEXT_FIELDS), CONTEXT_FIELDS)
        return context + graph.columns("candidate_ids", CANDIDATE_FIELDS)

    def exported_wide(self, graph, columns, numbers):
        parts = [graph.op("Gather", graph.const(t), c) for t, c in zip(self.wide, columns)]
        total = graph.op("ReduceSum", graph.op("Concat", *parts, axis=-1), graph.ints(-1), keepdims=0)
        wide = graph.op("Add", total, graph.op("MatMul", numbers, graph.const(self.weights["wide.numeric.weight"].T)))
        return graph.op("Add", wide, graph.const(self.weights["wide.bias"]))

    # Split: fields of one side in one table, one lookup for all of them.

    def merged(self, graph, tables, ids):
        """[rows, fields, width]"""
        offsets = np.cumsum([0] + [len(t) for t in tables[:-1]])
        rows = graph.op("Add", ids, graph.ints(*offsets))
        return graph.op("Gather", graph.const(np.concatenate(tables)), rows)

    def separate(self, graph, tables, ids):
        """A list of [rows, width], a lookup per field."""
        columns = graph.columns(ids, len(tables))
        return [
            graph.reshape(graph.op("Gather", graph.const(t), c), -1, t.shape[1]) for t, c in zip(tables, columns)
        ]

    def user_wide(self, graph):
        """[1, 1]"""
        rows = self.merged(graph, self.wide[:CONTEXT_FIELDS], "context_ids")
        total = graph.op("ReduceSum", rows, graph.ints(1), keepdims=0)
        weight, bias = self.weights["wide.numeric.weight"], self.weights["wide.bias"]
        return graph.op("Add", total, graph.dense("context_numbers", weight, bias))

    def candidate_wide(self, graph):
        rows = self.merged(graph, self.wide[CONTEXT_FIELDS:], "candidate_ids")
        return graph.op("ReduceSum", rows, graph.ints(1), keepdims=0)

    def finish(self, graph, wide, deep, path):
        logits = graph.op("Add", wide, deep)
        graph.save(graph.reshape(logits, self.candidates), self.candidates, path)


class WideDeep(Fields):
    def exported(self, graph, path):
        self.inputs(graph)
        numbers = graph.expand("context_numbers", self.candidates, NUMBERS)
        columns = self.exported_columns(graph)
        parts = [graph.op("Gather", graph.const(t), c) for t, c in zip(self.deep, columns)]
        flat = graph.op("Flatten", graph.op("Concat", *parts, axis=-1))
        deep = self.network(graph, graph.op("Concat", flat, numbers, axis=-1))
        self.finish(graph, self.exported_wide(graph, columns, numbers), deep, path)

    def split(self, graph, path, lookups):
        self.inputs(graph)
        width = self.deep[0].shape[1]
        user_width, candidate_width = CONTEXT_FIELDS * width, CANDIDATE_FIELDS * width
        weight = self.weights["deep.layers.0.weight"]
        user = graph.reshape(self.merged(graph, self.deep[:CONTEXT_FIELDS], "context_ids"), 1, user_width)
        user = graph.op("Concat", user, "context_numbers", axis=-1)
        user_weight = np.concatenate(
            [weight[:, :user_width], weight[:, user_width + candidate_width :]], axis=1
        )
        row = graph.dense(user, user_weight, self.weights["deep.layers.0.bias"], precise=True)
        first = weight[:, user_width : user_width + candidate_width]
        tables = self.deep[CONTEXT_FIELDS:]
        if lookups == "merged":
            value = graph.reshape(self.merged(graph, tables, "candidate_ids"), -1, candidate_width)
            wide = self.candidate_wide(graph)
        elif lookups == "int8_tables":
            scale = max(np.abs(t).max() for t in tables) / 127
            levels = [np.clip(np.rint(t / scale), -127, 127).astype(np.int8) for t in tables]
            offsets = np.cumsum([0] + [len(t) for t in tables[:-1]])
            rows = graph.op("Add", "candidate_ids", graph.ints(*offsets))
            value = graph.op("Gather", graph.const(np.concatenate(levels), np.int8), rows)
            value = graph.op("DequantizeLinear", value, graph.const(np.float32(scale)), graph.const(0, np.int8))
            value = graph.reshape(value, -1, candidate_width)
            wide = self.candidate_wide(graph)
        elif lookups == "separate":
            value = graph.op("Concat", *self.separate(graph, tables, "candidate_ids"), axis=-1)
            wide = self.candidate_wide(graph)
        else:  # "with_wide": the wide weight is one more column of the table.
            joined = [np.concatenate([d, w], axis=1) for d, w in zip(tables, self.wide[CONTEXT_FIELDS:])]
            value = graph.reshape(
                self.merged(graph, joined, "candidate_ids"), -1, CANDIDATE_FIELDS * (width + 1)
            )
            blocks = first.reshape(-1, CANDIDATE_FIELDS, width)
            first = np.pad(blocks, ((0, 0), (0, 0), (0, 1))).reshape(len(first), -1)
            pick = np.zeros((1, CANDIDATE_FIELDS, width + 1), np.float32)
            pick[:, :, width] = 1
            wide = graph.op("MatMul", value, graph.const(pick.reshape(1, -1).T))
        deep = self.network(graph, value, row, first)
        self.finish(graph, graph.op("Add", wide, self.user_wide(graph)), deep, path)


class Nfm(Fields):
    def interaction(self, graph, total, squares):
        difference = graph.op("Sub", graph.op("Mul", total, total), squares)
        return graph.op("Mul", difference, graph.const(np.float32(0.5)))

    def exported(self, graph, path):
        self.inputs(graph)
        numbers = graph.expand("context_numbers", self.candidates, NUMBERS)
        columns = self.exported_columns(graph)
        parts = [graph.op("Gather", graph.const(t), c) for t, c in zip(self.deep, columns)]
        fields = graph.op("Concat", *parts, axis=1)
        total = graph.op("ReduceSum", fields, graph.ints(1), keepdims=0)
        squares = graph.op("ReduceSum", graph.op("Mul", fields, fields), graph.ints(1), keepdims=0)
        value = graph.op("Concat", self.interaction(graph, total, squares), numbers, axis=-1)
        self.finish(graph, self.exported_wide(graph, columns, numbers), self.network(graph, value), path)

    def split(self, graph, path, lookups):
        self.inputs(graph)
        width = self.deep[0].shape[1]
        weight = self.weights["deep.layers.0.weight"]
        user = self.merged(graph, self.deep[:CONTEXT_FIELDS], "context_ids")
        user_total = graph.op("ReduceSum", user, graph.ints(1), keepdims=0)
        user_squares = graph.op("ReduceSum", graph.op("Mul", user, user), graph.ints(1), keepdims=0)
        bias = self.weights["deep.layers.0.bias"]
        row = graph.dense("context_numbers", weight[:, width:], bias, precise=True)
        tables = self.deep[CONTEXT_FIELDS:]
        if lookups == "merged":
            fields = self.merged(graph, tables, "candidate_ids")
            total = graph.op("ReduceSum", fields, graph.ints(1), keepdims=0)
            squares = graph.op("ReduceSum", graph.op("Mul", fields, fields), graph.ints(1), keepdims=0)
            wide = self.candidate_wide(graph)
        elif lookups == "separate":
            fields = self.separate(graph, tables, "candidate_ids")
            total = graph.op("Sum", *fields)
            squares = graph.op("Sum", *[graph.op("Mul", f, f) for f in fields])
            wide = self.candidate_wide(graph)
        else:  # "with_squares": the table has the squares and the wide weight as further columns.
            joined = [
                np.concatenate([d, d * d, w], axis=1) for d, w in zip(tables, self.wide[CONTEXT_FIELDS:])
            ]
            sums = graph.op("ReduceSum", self.merged(graph, joined, "candidate_ids"), graph.ints(1), keepdims=0)
            total, squares, wide = graph.op("Split", sums, graph.ints(width, width, 1), outputs=3, axis=1)
        value = self.interaction(
            graph, graph.op("Add", total, user_total), graph.op("Add", squares, user_squares)
        )
        deep = self.network(graph, value, row, weight[:, :width])
        self.finish(graph, graph.op("Add", wide, self.user_wide(graph)), deep, path)


# ---- w5_deepfm, w6_dcn, w7_pnn, w8_afm: as exported alone ----


class Exported(Fields):
    """A model over the 26 fields and the numbers, as DeepCTR-Torch writes it down."""

    def exported(self, graph, path):
        self.inputs(graph)
        numbers = graph.expand("context_numbers", self.candidates, NUMBERS)
        columns = self.exported_columns(graph)
        parts = [graph.op("Gather", graph.const(t), c) for t, c in zip(self.deep, columns)]
        fields = graph.op("Concat", *parts, axis=1)  # [N, 26, width]
        deep = self.logits(graph, fields, numbers)
        self.finish(graph, self.exported_wide(graph, columns, numbers), deep, path)

    def pairs(self, graph, fields):
        """The fields of all pairs, each [N, 325, width]."""
        first, second = np.triu_indices(CONTEXT_FIELDS + CANDIDATE_FIELDS, 1)
        return [graph.op("Gather", fields, graph.const(index, np.int64), axis=1) for index in (first, second)]

    def joined(self, graph, fields, numbers):
        return graph.op("Concat", graph.op("Flatten", fields), numbers, axis=-1)


class DeepFm(Exported):
    def logits(self, graph, fields, numbers):
        total = graph.op("ReduceSum", fields, graph.ints(1), keepdims=0)
        squares = graph.op("ReduceSum", graph.op("Mul", fields, fields), graph.ints(1), keepdims=0)
        difference = graph.op("Sub", graph.op("Mul", total, total), squares)
        pairs = graph.op("ReduceSum", difference, graph.ints(1), keepdims=1)
        pairs = graph.op("Mul", pairs, graph.const(np.float32(0.5)))
        return graph.op("Add", pairs, self.network(graph, self.joined(graph, fields, numbers)))


class Dcn(Exported):
    def network(self, graph, value, row=None, first=None):
        """The hidden layers without the head."""
        layer = 0
        while f"deep.layers.{layer}.weight" in self.weights:
            name = f"deep.layers.{layer}"
            value = graph.dense(value, self.weights[name + ".weight"], self.weights[name + ".bias"])
            value = graph.op("Relu", value)
            layer += 1
        return value

    def logits(self, graph, fields, numbers):
        first = cross = self.joined(graph, fields, numbers)
        layer = 0
        while f"cross.layers.{layer}.weight" in self.weights:
            name = f"cross.layers.{layer}"
            dot = graph.op("MatMul", cross, graph.const(self.weights[name + ".weight"].T))
            product = graph.op("Add", graph.op("Mul", first, dot), graph.const(self.weights[name + ".bias"]))
            cross = graph.op("Add", product, cross)
            layer += 1
        value = graph.op("Concat", cross, self.network(graph, first), axis=-1)
        return graph.dense(value, self.weights["head.weight"], self.weights["head.bias"])


class Pnn(Exported):
    def exported_wide(self, graph, columns, numbers):
        return graph.const(np.zeros((1, 1)))

    def logits(self, graph, fields, numbers):
        products = graph.op("Mul", *self.pairs(graph, fields))
        products = graph.op("ReduceSum", products, graph.ints(2), keepdims=0)
        value = graph.op("Concat", graph.op("Flatten", fields), products, numbers, axis=-1)
        return self.network(graph, value)


class Afm(Exported):
    def logits(self, graph, fields, numbers):
        weights = self.weights
        products = graph.op("Mul", *self.pairs(graph, fields))
        hidden = graph.op("MatMul", products, graph.const(weights["attention.layers.0.weight"].T))
        hidden = graph.op("Relu", graph.op("Add", hidden, graph.const(weights["attention.layers.0.bias"])))
        score = graph.op("MatMul", hidden, graph.const(weights["attention.head.weight"].T))
        weight = graph.op("Softmax", score, axis=1)
        pooled = graph.op("ReduceSum", graph.op("Mul", weight, products), graph.ints(1), keepdims=0)
        return graph.dense(pooled, weights["head.weight"], weights["head.bias"])


# ---- w3_din, w4_dien ----


class Attended:
    CONTEXT = 6
    WIDTH = 64  # Of query, key and states.

    def __init__(self, weights, candidates):
        self.weights = weights
        self.candidates = candidates
        self.recurrent = "gru.weight_ih" in weights
        first = weights["attention.layers.0.weight"]
        # Blocks for q, k, q - k and q * k.
        self.a, self.b, self.c, self.d = np.split(first, 4, axis=1)

    def inputs(self, graph):
        graph.input("context_ids", [1, self.CONTEXT])
        graph.input("history_ids", [EVENTS, 2])
        graph.input("candidate_ids", [self.candidates, 2])

    def item_and_category(self, graph, item, category):
        parts = [
            graph.op("Gather", graph.const(self.weights[f"deep.embedding.{name}.weight"]), ids)
            for name, ids in (("item", item), ("category", category))
        ]
        return graph.op("Concat", *parts, axis=-1)

    def network(self, graph, value, row=None, first=None):
        weights = self.weights
        for layer in range(2):
            bias = weights[f"deep.layers.{layer}.bias"]
            if layer == 0 and row is not None:
                value = graph.dense(value, first, None, row)
            else:
                value = graph.dense(value, weights[f"deep.layers.{layer}.weight"], bias)
            value = graph.op("PRelu", value, graph.const(weights[f"deep.layers.{layer}.prelu.weight"]))
        logits = graph.dense(value, weights["head.weight"], weights["head.bias"])
        return graph.reshape(logits, self.candidates)

    def gru(self, graph, sequence, batch):
        """States [events, batch, 64] of [events, batch, 64], by ONNX's own operator."""
        width = self.WIDTH

        def reorder(array):  # r, z, n -> z, r, n
            r, z, n = np.split(array, 3)
            return np.concatenate([z, r, n])

        w = reorder(self.weights["gru.weight_ih"])[None]
        u = reorder(self.weights["gru.weight_hh"])[None]
        bias = np.concatenate([reorder(self.weights["gru.bias_ih"]), reorder(self.weights["gru.bias_hh"])])[None]
        states = graph.op(
            "GRU",
            sequence,
            graph.const(w),
            graph.const(u),
            graph.const(bias),
            hidden_size=width,
            linear_before_reset=1,
        )
        return graph.reshape(states, EVENTS, batch, width)

    def step(self, graph, state, gates, attention, form):
        """One step of AUGRU. `gates`: the input's side [rows, 192]; with form "two" the state's bias of r and z is
        in it already. `attention` [N, 1]."""
        u, bias, width = self.weights["evolution.weight_hh"], self.weights["evolution.bias_hh"], self.WIDTH
        if form == "two":
            gates_rz, gates_n = graph.op(
                "Split", gates, graph.ints(2 * width, width), outputs=2, axis=1
            )
            rz = graph.op("Sigmoid", graph.dense(state, u[: 2 * width], None, gates_rz))
            r, z = graph.op("Split", rz, outputs=2, axis=1)
            state_n = graph.dense(state, u[2 * width :], bias[2 * width :])
        else:
            gates_r, gates_z, gates_n = graph.op("Split", gates, outputs=3, axis=1)
            sides = graph.dense(state, u, bias)
            state_r, state_z, state_n = graph.op("Split", sides, outputs=3, axis=1)
            r = graph.op("Sigmoid", graph.op("Add", state_r, gates_r))
            z = graph.op("Sigmoid", graph.op("Add", state_z, gates_z))
        n = graph.op("Tanh", graph.op("Add", gates_n, graph.op("Mul", r, state_n)))
        z = graph.op("Mul", z, attention)
        return graph.op("Add", state, graph.op("Mul", z, graph.op("Sub", n, state)))

    def evolution(self, graph, interests, rows, attention, form, walk):
        """The last state [N, 64]. `interests` [events * rows, 64], `attention` [events, N, 1]."""
        width, n = self.WIDTH, self.candidates
        bias = np.array(self.weights["evolution.bias_ih"])
        if form == "two":
            bias[: 2 * width] += self.weights["evolution.bias_hh"][: 2 * width]
        gates = graph.dense(interests, self.weights["evolution.weight_ih"], bias, precise=rows == 1)
        gates = graph.reshape(gates, EVENTS, rows, 3 * width)
        state = graph.const(np.zeros((n, width)))
        if walk == "unrolled":
            gates_by_event = graph.op("Split", gates, outputs=EVENTS, axis=0)
            attention_by_event = graph.op("Split", attention, outputs=EVENTS, axis=0)
            for gates_t, attention_t in zip(gates_by_event, attention_by_event):
                state = self.step(
                    graph,
                    state,
                    graph.reshape(gates_t, rows, 3 * width),
                    graph.reshape(attention_t, n, 1),
                    form,
                )
            return state
        body = Graph("body", graph.int8)
        body.count = 1000000  # Names of a body and of what is around it differ.
        tensor = helper.make_tensor_value_info
        if walk == "scan":
            after = self.step(body, "state_in", "gates_t", "attention_t", form)
            inner = helper.make_graph(
                body.nodes,
                "step",
                [
                    tensor("state_in", TensorProto.FLOAT, [n, width]),
                    tensor("gates_t", TensorProto.FLOAT, [rows, 3 * width]),
                    tensor("attention_t", TensorProto.FLOAT, [n, 1]),
                ],
                [tensor(after, TensorProto.FLOAT, [n, width])],
                body.constants,
            )
            return graph.op("Scan", state, gates, attention, body=inner, num_scan_inputs=2)
        gates_t = body.op("Gather", gates, "step_index")
        attention_t = body.op("Gather", attention, "step_index")
        after = self.step(body, "state_in", gates_t, attention_t, form)
        body.nodes.append(helper.make_node("Identity", ["go_on"], ["go_on_out"]))
        inner = helper.make_graph(
            body.nodes,
            "step",
            [
                tensor("step_index", TensorProto.INT64, []),
                tensor("go_on", TensorProto.BOOL, []),
                tensor("state_in", TensorProto.FLOAT, [n, width]),
            ],
            [tensor("go_on_out", TensorProto.BOOL, []), tensor(after, TensorProto.FLOAT, [n, width])],
            body.constants,
        )
        return graph.op("Loop", graph.const(EVENTS, np.int64), graph.const(True, np.bool_), state, body=inner)

    # As exported.

    def exported(self, graph, path, walk=None):
        self.inputs(graph)
        weights, n, width = self.weights, self.candidates, self.WIDTH
        context = graph.columns(graph.expand("context_ids", n, self.CONTEXT), self.CONTEXT)
        parts = [
            graph.op("Gather", graph.const(weights[f"deep.embedding.context_{i}.weight"]), c)
            for i, c in enumerate(context)
        ]
        item, category = graph.columns("candidate_ids", 2)
        query = self.item_and_category(graph, item, category)  # [N, 1, 64]
        events = [graph.reshape(c, 1, EVENTS) for c in graph.columns("history_ids", 2)]
        key = self.item_and_category(graph, *[graph.expand(e, n, EVENTS) for e in events])  # [N, events, 64]
        if self.recurrent:
            by_event = graph.op("Transpose", key, perm=[1, 0, 2])
            states = self.gru(graph, by_event, n)
            key = graph.op("Transpose", states, perm=[1, 0, 2])
        queries = graph.expand(query, n, EVENTS, width)
        value = graph.op(
            "Concat", queries, key, graph.op("Sub", queries, key), graph.op("Mul", queries, key), axis=-1
        )
        for layer in range(2):
            name = f"attention.layers.{layer}"
            value = graph.op("MatMul", value, graph.const(weights[name + ".weight"].T))
            value = graph.op("Sigmoid", graph.op("Add", value, graph.const(weights[name + ".bias"])))
        score = graph.op("MatMul", value, graph.const(weights["attention.head.weight"].T))
        score = graph.op("Add", score, graph.const(weights["attention.head.bias"]))  # [N, events, 1]
        if self.recurrent:
            score = graph.op("Softmax", score, axis=1)
            attention = graph.op("Transpose", score, perm=[1, 0, 2])
            interests = graph.reshape(states, EVENTS * n, width)
            history = self.evolution(graph, interests, n, attention, "one", walk)
            history = graph.reshape(history, n, 1, width)
        else:
            history = graph.op("MatMul", graph.op("Transpose", score, perm=[0, 2, 1]), key)
        value = graph.op("Flatten", graph.op("Concat", *parts, query, history, axis=-1))
        graph.save(self.network(graph, value), n, path)

    # By hand.

    def attention_split(self, graph, query, key):
        """Scores [N, events]; the unit as it is written, on a product of all pairs."""
        n, width = self.candidates, self.WIDTH
        q, k = graph.reshape(query, n, 1, width), graph.reshape(key, 1, EVENTS, width)
        value = graph.op(
            "Concat",
            graph.expand(q, n, EVENTS, width),
            graph.expand(k, n, EVENTS, width),
            graph.op("Sub", q, k),
            graph.op("Mul", q, k),
            axis=-1,
        )
        value = graph.reshape(value, n * EVENTS, 4 * width)
        value = graph.dense(
            value, self.weights["attention.layers.0.weight"], self.weights["attention.layers.0.bias"]
        )
        return graph.reshape(self.attention_rest(graph, graph.op("Sigmoid", value)), n, EVENTS)

    def attention_rest(self, graph, value):
        """From the first layer's output [pairs, 80] to the scores [pairs, 1]."""
        weights = self.weights
        value = graph.dense(value, weights["attention.layers.1.weight"], weights["attention.layers.1.bias"])
        value = graph.op("Sigmoid", value)
        return graph.dense(value, weights["attention.head.weight"], weights["attention.head.bias"])

    def key_rows(self, graph, key):
        """(B - C) k + b, [events, 80]"""
        return graph.dense(key, self.b - self.c, self.weights["attention.layers.0.bias"], precise=True)

    def attention_products(self, graph, query, key):
        """(A + C) q + (B - C) k + D (q * k)"""
        n, width = self.candidates, self.WIDTH
        units = len(self.a)
        pairs = graph.op("Mul", graph.reshape(query, n, 1, width), graph.reshape(key, 1, EVENTS, width))
        value = graph.product(graph.reshape(pairs, n * EVENTS, width), self.d)
        value = graph.reshape(value, n, EVENTS, units)
        query_rows = graph.op("MatMul", query, graph.const((self.a + self.c).T))
        # The sum of the two rows alone would be as large as the product.
        value = graph.op("Add", value, graph.reshape(query_rows, n, 1, units))
        value = graph.op("Add", value, self.key_rows(graph, key))
        value = graph.reshape(graph.op("Sigmoid", value), n * EVENTS, units)
        return graph.reshape(self.attention_rest(graph, value), n, EVENTS)

    def attention_batched(self, graph, query, key):
        """M_t = (A + C) + D diag(k_t), a product per event."""
        n, width, units = self.candidates, self.WIDTH, len(self.a)
        folded = graph.op("Mul", graph.reshape(key, EVENTS, width, 1), graph.const(self.d.T[None]))
        folded = graph.op("Add", folded, graph.const((self.a + self.c).T[None]))
        value = graph.op("MatMul", query, folded)  # [events, N, units]
        value = graph.op("Add", value, graph.reshape(self.key_rows(graph, key), EVENTS, 1, units))
        value = graph.reshape(graph.op("Sigmoid", value), EVENTS * n, units)
        score = graph.reshape(self.attention_rest(graph, value), EVENTS, n)
        return graph.op("Transpose", score, perm=[1, 0])

    def attention_joined(self, graph, query, key, quantize=False):
        """As batched, with all M_t side by side in one product."""
        n, width, units = self.candidates, self.WIDTH, len(self.a)
        columns = graph.reshape(graph.op("Transpose", key, perm=[1, 0]), width, EVENTS, 1)
        folded = graph.op("Mul", columns, graph.const(self.d.T[:, None, :]))
        folded = graph.op("Add", folded, graph.const((self.a + self.c).T[:, None, :]))
        folded = graph.reshape(folded, width, EVENTS * units)
        rows = graph.reshape(self.key_rows(graph, key), 1, EVENTS * units)
        if quantize:
            q, q_scale, q_zero = graph.op("DynamicQuantizeLinear", query, outputs=3)
            m, m_scale, m_zero = graph.op("DynamicQuantizeLinear", folded, outputs=3)
            value = graph.op(
                "MatMulIntegerToFloat", q, m, q_scale, m_scale, q_zero, m_zero, domain=CONTRIB
            )
            value = graph.op("Add", value, rows)
        else:
            value = graph.op("Gemm", query, folded, rows)
        value = graph.reshape(graph.op("Sigmoid", value), n * EVENTS, units)
        return graph.reshape(self.attention_rest(graph, value), n, EVENTS)

    def by_hand(self, graph, path, attention, walk=None, form="two"):
        self.inputs(graph)
        weights, n, width = self.weights, self.candidates, self.WIDTH
        context = graph.columns("context_ids", self.CONTEXT)
        parts = [
            graph.op("Gather", graph.const(weights[f"deep.embedding.context_{i}.weight"]), c)
            for i, c in enumerate(context)
        ]
        user = graph.reshape(graph.op("Concat", *parts, axis=-1), 1, -1)
        item, category = graph.columns("candidate_ids", 2)
        query = self.item_and_category(graph, graph.reshape(item, n), graph.reshape(category, n))
        events = [graph.reshape(c, EVENTS) for c in graph.columns("history_ids", 2)]
        key = self.item_and_category(graph, *events)  # [events, 64]
        if self.recurrent:
            states = self.gru(graph, graph.reshape(key, EVENTS, 1, width), 1)
            key = graph.reshape(states, EVENTS, width)
        scores = {
            "split": self.attention_split,
            "products": self.attention_products,
            "batched": self.attention_batched,
            "joined": self.attention_joined,
            "joined_int8": lambda *arguments: self.attention_joined(*arguments, quantize=True),
        }[attention](graph, query, key)
        if self.recurrent:
            weight = graph.op("Softmax", scores, axis=1)
            by_event = graph.reshape(graph.op("Transpose", weight, perm=[1, 0]), EVENTS, n, 1)
            history = self.evolution(graph, key, 1, by_event, form, walk)
        else:
            history = graph.op("MatMul", scores, key)
        first = weights["deep.layers.0.weight"]
        split = self.CONTEXT * 16
        row = graph.dense(user, first[:, :split], weights["deep.layers.0.bias"], precise=True)
        value = graph.op("Concat", query, history, axis=-1)
        graph.save(self.network(graph, value, row, first[:, split:]), n, path)


def forms(workload, model):
    """(category, form, function of graph and path) of every file."""
    if workload == "w1_wide_deep":
        lookups = {"split": ["merged", "separate", "with_wide"], "int8": ["merged", "with_wide", "int8_tables"]}
    elif workload == "w2_nfm":
        lookups = {"split": ["merged", "separate", "with_squares"], "int8": ["merged", "with_squares"]}
    elif isinstance(model, Exported):
        lookups = {}
    elif workload == "w3_din":
        yield "exported", "exported", model.exported
        yield "split", "split", lambda g, p: model.by_hand(g, p, "split")
        for fold in ("products", "batched", "joined"):
            yield "folded", fold, lambda g, p, f=fold: model.by_hand(g, p, f)
        for fold in ("split", "products", "batched", "joined", "joined_int8"):
            yield "int8", fold, lambda g, p, f=fold: model.by_hand(g, p, f)
        return
    else:
        for walk in ("unrolled", "scan", "loop"):
            yield "exported", walk, lambda g, p, w=walk: model.exported(g, p, w)
        for walk in ("unrolled", "scan", "loop"):
            yield "split", walk, lambda g, p, w=walk: model.by_hand(g, p, "split", w)
        for fold in ("products", "batched", "joined"):
            for walk, form in (("unrolled", "two"), ("unrolled", "one"), ("scan", "two")):
                yield "folded", f"{fold}_{walk}_{form}", lambda g, p, f=fold, w=walk, o=form: model.by_hand(
                    g, p, f, w, o
                )
        for fold in ("products", "batched", "joined", "joined_int8"):
            for walk, form in (("unrolled", "two"), ("unrolled", "one"), ("scan", "one")):
                yield "int8", f"{fold}_{walk}_{form}", lambda g, p, f=fold, w=walk, o=form: model.by_hand(
                    g, p, f, w, o
                )
        return
    yield "exported", "exported", model.exported
    for category, names in lookups.items():
        for name in names:
            yield category, name, lambda g, p, n=name: model.split(g, p, n)


KINDS = {"w1_wide_deep": WideDeep, "w2_nfm": Nfm, "w3_din": Attended, "w4_dien": Attended, "w5_deepfm": DeepFm,
         "w6_dcn": Dcn, "w7_pnn": Pnn, "w8_afm": Afm}


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    source, target = arguments[:2]
    os.makedirs(target, exist_ok=True)
    for workload in arguments[2:] or KINDS:
        weights = read_safetensors(os.path.join(source, workload + ".safetensors"))
        model = KINDS[workload](weights, CANDIDATES[workload])
        files = []
        for category, form, build in forms(workload, model):
            name = f"{workload}.{category}.{form}.onnx"
            build(Graph("main", int8=category == "int8"), os.path.join(target, name))
            files.append({"category": category, "form": form, "file": name})
        if workload == "w3_din":
            # The weights in a file of their own, which ONNX Runtime maps: to compare opening and memory with.
            name = f"{workload}.external.onnx"
            whole = onnx.load(os.path.join(target, f"{workload}.folded.products.onnx"))
            data = name + ".data"
            if os.path.exists(os.path.join(target, data)):
                os.remove(os.path.join(target, data))  # Or it would be appended to.
            onnx.save_model(whole, os.path.join(target, name), save_as_external_data=True, location=data)
            files.append({"category": "external", "form": "products", "file": name})
        with open(os.path.join(target, workload + ".json"), "w", encoding="utf-8") as file:
            json.dump({"workload": workload, "models": files}, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
