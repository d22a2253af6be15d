"""The standard workloads as TensorFlow Lite files, in the forms of make_onnx.py.

    make_tflite.py SCHEMA FLATC WEIGHTS_DIRECTORY OUTPUT_DIRECTORY [WORKLOAD...]

SCHEMA is LiteRT's schema.fbs, FLATC the compiler of FlatBuffers. Reads WORKLOAD.safetensors and writes
WORKLOAD.CATEGORY.FORM.tflite and WORKLOAD.json, as make_onnx.py does; see there for the categories. The code that makes
a model is the same: here its operators are turned into LiteRT's, one by one, so that XNNPACK takes as many of them as it
can.

In int8 dense layers have weights of 8 bits with a scale per output; their input stays float32, and XNNPACK quantises each
row when it comes ("dynamic range"). Recurrences are unrolled: what XNNPACK does not know, a loop, would not be run by it.

Inputs are make_onnx.py's, as int32; the output is scores [N].
"""

import json
import os
import subprocess
import sys

import numpy as np

import make_onnx

FOLDS = ("products", "batched", "joined")
WORKLOADS = ("w1_wide_deep", "w2_nfm", "w3_din", "w4_dien")
# Operators that take something that their first version did not.
VERSIONS = {"FULLY_CONNECTED": 5, "BROADCAST_TO": 2}
TYPES = {np.dtype(np.float32): "FLOAT32", np.dtype(np.int32): "INT32", np.dtype(np.int8): "INT8"}
ALIGNMENT = 64
# XNNPACK splits into as many at most.
MOST_OF_A_SPLIT = 4


class Value:
    """A tensor: its shape, and its numbers when it is a constant."""

    def __init__(self, name, shape, dtype, array=None):
        self.name = name
        self.shape = tuple(int(size) for size in shape)
        self.dtype = np.dtype(dtype)
        self.array = array
        self.scales = None  # Of 8 bits: one, or one per row.


class TfliteGraph(make_onnx.Graph):
    """Operators of LiteRT under construction. Takes those of ONNX that make_onnx.py uses."""

    def __init__(self, name, int8=False):
        super().__init__(name, int8)
        self.values = {}
        self.operators = []

    # ---- Values ----

    def add(self, shape, dtype=np.float32, array=None, name=None):
        value = Value(name or self.fresh("value"), shape, dtype, array)
        self.values[value.name] = value
        return value.name

    def input(self, name, shape, kind=None):
        dtype = np.float32 if kind == make_onnx.TensorProto.FLOAT else np.int32
        self.inputs.append(name)
        return self.add(shape, dtype, name=name)

    def const(self, array, dtype=np.float32):
        dtype = np.int32 if dtype == np.int64 else dtype
        array = np.array(array, dtype=dtype, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = self.add(array.shape, array.dtype, array)
        return self.known[key]

    def shape(self, name):
        return self.values[name].shape

    def array(self, name):
        return self.values[name].array

    def is_float(self, name):
        return self.values[name].dtype == np.float32

    # ---- LiteRT's operators ----

    def emit(self, code, inputs, shapes, options=None, dtype=None, name=None, **fields):
        """Adds an operator; returns the names of its outputs, or the one."""
        dtype = dtype or self.values[inputs[0]].dtype
        outputs = [self.add(shape, dtype, name=name) for shape in shapes]
        self.operators.append(
            {"code": code, "inputs": list(inputs), "outputs": outputs, "type": options, "fields": fields}
        )
        return outputs[0] if len(outputs) == 1 else outputs

    def fully_connected(self, value, weight, bias, scales=None):
        """[..., in] -> [..., out]; `weight` is an array [out, in]."""
        weights = self.const(weight, weight.dtype)
        self.values[weights].scales = scales
        inputs = [value, weights]
        if bias is not None:
            inputs.append(self.const(bias))
        shape = self.shape(value)[:-1] + (len(weight),)
        return self.emit("FULLY_CONNECTED", inputs, [shape], "FullyConnectedOptions", keep_num_dims=len(shape) != 2)

    def binary(self, code, options, a, b):
        return self.emit(code, [a, b], [np.broadcast_shapes(self.shape(a), self.shape(b))], options)

    def slice(self, value, axis, begin, size):
        shape = list(self.shape(value))
        start = [0] * len(shape)
        start[axis], shape[axis] = begin, size
        return self.emit("SLICE", [value, self.ints(*start), self.ints(*shape)], [shape], "SliceOptions")

    # ---- make_onnx.py's ----

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        if kind == "Split":
            return self.split(*inputs, outputs=outputs, **attributes)
        return getattr(self, "op_" + kind.lower())(*inputs, **attributes)

    def op_add(self, a, b):
        return self.binary("ADD", "AddOptions", a, b)

    def op_sub(self, a, b):
        return self.binary("SUB", "SubOptions", a, b)

    def op_mul(self, a, b):
        return self.binary("MUL", "MulOptions", a, b)

    def op_sum(self, *values):
        total = values[0]
        for value in values[1:]:
            total = self.op_add(total, value)
        return total

    def op_sigmoid(self, value):
        return self.emit("LOGISTIC", [value], [self.shape(value)])

    def op_tanh(self, value):
        return self.emit("TANH", [value], [self.shape(value)])

    def op_relu(self, value):
        """As a converter does: within what comes before it."""
        before = self.operators[-1]
        if before["outputs"] == [value] and before["code"] in ("FULLY_CONNECTED", "ADD"):
            before["fields"]["fused_activation_function"] = "RELU"
            return value
        return self.emit("RELU", [value], [self.shape(value)])

    def op_prelu(self, value, slope):
        return self.emit("PRELU", [value, slope], [self.shape(value)])

    def op_gather(self, table, ids, axis=0):
        whole = self.shape(table)
        shape = whole[:axis] + self.shape(ids) + whole[axis + 1 :]
        return self.emit("GATHER", [table, ids], [shape], "GatherOptions", axis=axis)

    def op_dequantizelinear(self, value, scale, zero):
        """Of a lookup in a table of 8 bits."""
        (lookup,) = [o for o in self.operators if o["outputs"] == [value]]
        for name in (value, lookup["inputs"][0]):
            self.values[name].scales = self.array(scale).reshape(1)
        return self.emit("DEQUANTIZE", [value], [self.shape(value)], "DequantizeOptions", dtype=np.float32)

    def op_concat(self, *values, axis):
        shape = list(self.shape(values[0]))
        axis %= len(shape)
        shape[axis] = sum(self.shape(value)[axis] for value in values)
        return self.emit("CONCATENATION", values, [shape], "ConcatenationOptions", axis=axis)

    def split(self, value, sizes=None, outputs=1, axis=0):
        shape = list(self.shape(value))
        sizes = [shape[axis] // outputs] * outputs if sizes is None else [int(size) for size in self.array(sizes)]
        if len(set(sizes)) == 1 and (outputs <= MOST_OF_A_SPLIT or not self.is_float(value)):
            shape[axis] = sizes[0]
            axis = self.const(axis, np.int32)
            return self.emit(
                "SPLIT", [axis, value], [shape] * outputs, "SplitOptions", self.values[value].dtype, num_splits=outputs
            )
        begins = np.cumsum([0] + sizes[:-1])
        return [self.slice(value, axis, begin, size) for begin, size in zip(begins, sizes)]

    def reshape(self, value, *shape):
        count = int(np.prod(self.shape(value)))
        known = int(np.prod([size for size in shape if size != -1]))
        shape = tuple(count // known if size == -1 else size for size in shape)
        if shape == self.shape(value):
            return value
        return self.emit("RESHAPE", [value, self.ints(*shape)], [shape], "ReshapeOptions", new_shape=list(shape))

    def op_flatten(self, value):
        return self.reshape(value, self.shape(value)[0], -1)

    def expand(self, value, *shape):
        if not self.is_float(value):
            return self.emit("BROADCAST_TO", [value, self.ints(*shape)], [shape])
        # XNNPACK has no such operator, but adds with broadcasting.
        zeros = [wanted if wanted != has else 1 for wanted, has in zip(shape, self.shape(value))]
        return self.op_add(value, self.const(np.zeros(zeros)))

    def op_reducesum(self, value, axes, keepdims=1):
        assert keepdims == 0
        shape = list(self.shape(value))
        del shape[int(self.array(axes)[0])]
        return self.emit("SUM", [value, axes], [shape], "ReducerOptions", keep_dims=False)

    def op_transpose(self, value, perm):
        shape = [self.shape(value)[axis] for axis in perm]
        return self.emit("TRANSPOSE", [value, self.ints(*perm)], [shape], "TransposeOptions")

    def op_softmax(self, value, axis):
        shape = self.shape(value)
        flat = self.reshape(value, *shape[: axis + 1])  # What follows has one column.
        return self.reshape(self.emit("SOFTMAX", [flat], [self.shape(flat)], "SoftmaxOptions", beta=1.0), *shape)

    def op_matmul(self, a, b):
        if self.array(b) is not None:
            return self.fully_connected(a, self.array(b).T, None)
        rank = max(len(self.shape(a)), len(self.shape(b)))
        a, b = [self.reshape(v, *((1,) * (rank - len(self.shape(v))) + self.shape(v))) for v in (a, b)]
        batch = np.broadcast_shapes(self.shape(a)[:-2], self.shape(b)[:-2])
        shape = batch + (self.shape(a)[-2], self.shape(b)[-1])
        return self.emit("BATCH_MATMUL", [a, b], [shape], "BatchMatMulOptions")

    def op_gemm(self, a, b, c):
        return self.op_add(self.op_matmul(a, b), c)

    def op_gru(self, sequence, w, u, bias, hidden_size, linear_before_reset):
        """Unrolled. Gates are stacked z, r, n."""
        events, rows, width = self.shape(sequence)
        w, u = self.array(w)[0], self.array(u)[0]
        input_bias, state_bias = np.split(self.array(bias)[0], 2)
        gates = self.fully_connected(self.reshape(sequence, events * rows, width), w, input_bias)
        state = self.const(np.zeros((rows, hidden_size)))
        states = []
        for event in range(events):
            z_x, r_x, n_x = self.split(self.slice(gates, 0, event * rows, rows), outputs=3, axis=1)
            z_h, r_h, n_h = self.split(self.fully_connected(state, u, state_bias), outputs=3, axis=1)
            z = self.op_sigmoid(self.op_add(z_x, z_h))
            n = self.op_tanh(self.op_add(n_x, self.op_mul(self.op_sigmoid(self.op_add(r_x, r_h)), n_h)))
            state = self.op_add(n, self.op_mul(z, self.op_sub(state, n)))
            states.append(state)
        return self.reshape(self.op_concat(*states, axis=0), events, 1, rows, hidden_size)

    def dense(self, value, weight, bias, row=None, precise=False):
        weight = np.asarray(weight, np.float32)
        scales = None
        if self.int8 and not precise and len(weight) > 1:
            scales = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
            weight = np.clip(np.rint(weight / scales[:, None]), -127, 127).astype(np.int8)
        product = self.fully_connected(value, weight, bias if row is None else None, scales)
        return product if row is None else self.op_add(product, row)

    def save(self, logits, candidates, path):
        assert self.shape(logits) == (candidates,), self.shape(logits)
        self.emit("LOGISTIC", [logits], [(candidates,)], name="scores")
        write(self, path)


def quantization(value):
    if value.scales is None:
        return {}
    scales = [float(scale) for scale in value.scales]
    return {"quantization": {"scale": scales, "zero_point": [0] * len(scales), "quantized_dimension": 0}}


class Compiler:
    """FlatBuffers' compiler and the schema."""

    schema = None
    flatc = None

    @classmethod
    def compile(cls, model, path):
        text = path + ".json"
        with open(text, "w", encoding="utf-8") as file:
            json.dump(model, file)
        folder = os.path.dirname(path)
        subprocess.run([cls.flatc, "-b", "-o", folder, cls.schema, text], check=True)
        os.remove(text)
        # By the name of the text, up to its last point.
        made = path + ".tflite"
        with open(made, "rb") as file:
            data = file.read()
        os.remove(made)
        return data


def write(graph, path):
    """The model's tables, then the constants, at offsets that the tables have."""
    used = {name for operator in graph.operators for name in operator["inputs"] + operator["outputs"]}
    values = [value for name, value in graph.values.items() if name in used or name in graph.inputs]
    index = {value.name: i for i, value in enumerate(values)}
    codes = sorted({operator["code"] for operator in graph.operators})
    constants = [value for value in values if value.array is not None]
    buffers = {value.name: 1 + i for i, value in enumerate(constants)}

    def operator_table(operator):
        table = {
            "opcode_index": codes.index(operator["code"]),
            "inputs": [index[name] for name in operator["inputs"]],
            "outputs": [index[name] for name in operator["outputs"]],
        }
        if operator["type"]:
            table["builtin_options_type"] = operator["type"]
            table["builtin_options"] = operator["fields"]
        return table

    def model(offsets):
        return {
            "version": 3,
            "operator_codes": [{"builtin_code": code, "version": VERSIONS.get(code, 1)} for code in codes],
            "subgraphs": [
                {
                    "tensors": [
                        {
                            "shape": list(value.shape),
                            "has_rank": True,
                            "type": TYPES[value.dtype],
                            "buffer": buffers.get(value.name, 0),
                            "name": value.name,
                            **quantization(value),
                        }
                        for value in values
                    ],
                    "inputs": [index[name] for name in graph.inputs],
                    "outputs": [index["scores"]],
                    "operators": [operator_table(operator) for operator in graph.operators],
                }
            ],
            "buffers": [{}]
            + [{"offset": offset, "size": value.array.nbytes} for offset, value in zip(offsets, constants)],
        }

    # Where constants begin depends on the size of the tables, which does not depend on where that is.
    size = len(Compiler.compile(model([1 << 40] * len(constants)), path))
    offsets, end = [], size
    for value in constants:
        end += -end % ALIGNMENT
        offsets.append(end)
        end += value.array.nbytes
    tables = Compiler.compile(model(offsets), path)
    assert len(tables) == size
    with open(path, "wb") as file:
        file.write(tables)
        for offset, value in zip(offsets, constants):
            file.write(b"\0" * (offset - file.tell()))
            file.write(value.array.tobytes())


def forms(workload, model):
    """As make_onnx.forms(), but for those that LiteRT has no operators for, or XNNPACK none."""
    for category, form, build in make_onnx.forms(workload, model):
        if "scan" in form or "loop" in form or "joined_int8" in form:
            continue
        yield category, form, build


def main(arguments):
    if len(arguments) < 4:
        sys.exit(__doc__)
    Compiler.schema, Compiler.flatc, source, target = arguments[:4]
    os.makedirs(target, exist_ok=True)
    for workload in arguments[4:] or WORKLOADS:
        weights = make_onnx.read_safetensors(os.path.join(source, workload + ".safetensors"))
        model = make_onnx.KINDS[workload](weights, make_onnx.CANDIDATES[workload])
        files = []
        for category, form, build in forms(workload, model):
            name = f"{workload}.{category}.{form}.tflite"
            build(TfliteGraph("main", int8=category == "int8"), os.path.join(target, name))
            files.append({"category": category, "form": form, "file": name})
        with open(os.path.join(target, workload + ".json"), "w", encoding="utf-8") as file:
            json.dump({"workload": workload, "models": files}, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
