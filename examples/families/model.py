"""The families in PyTorch. Their state_dicts have the names of Handpick's own layout, so that they are saved as they are.

Every class says what its logit is; papers and equations are in converter/recipes/README.md.
"""

import itertools

import torch
from torch import nn

from layers import Layers, SpecReader, Tables


class Pairs:
    """The fields of all pairs i < j, each [pairs, B, width]."""

    def __init__(self, fields):
        first, second = zip(*itertools.combinations(range(len(fields)), 2))
        stacked = torch.stack(fields)
        self.first, self.second = stacked[list(first)], stacked[list(second)]


class Family(nn.Module):
    """What most families share: a wide part, embeddings and numbers, a tower over them and a head."""

    def __init__(self, spec, dropout, tower_width=None):
        """tower_width: of what the tower takes; None: all deep features, concatenated."""
        super().__init__()
        self.spec, self.reader = spec, SpecReader(spec)
        if "wide" in spec:
            self.wide = self.reader.wide()
        if "deep" in spec:
            self.deep = self.reader.deep(tower_width or self.reader.deep_width(), dropout)
            if len(self.deep.layers):
                self.head = nn.Linear(self.deep.layers[-1].out_features, 1)

    def tower(self, *values):
        """[B]: head(layers([values]))"""
        return self.head(self.deep.layers(torch.cat(values, dim=1))).squeeze(1)

    def numbers(self, batch):
        return [batch[name] for name, table, _ in self.deep.uses if not table]


class Lr(Family):
    """wide"""

    def forward(self, batch):
        return self.wide(batch)


class Fm(Family):
    """wide + sum of <v_i, v_j>"""

    def forward(self, batch):
        pairs = Pairs(self.deep.fields(batch))
        return self.wide(batch) + (pairs.first * pairs.second).sum(dim=(0, 2))


class Ffm(Family):
    """wide + sum of <v_i toward j, v_j toward i>"""

    def forward(self, batch):
        fields = self.deep.fields(batch)
        width = fields[0].shape[1] // len(fields)
        logit = self.wide(batch)
        for i, j in itertools.combinations(range(len(fields)), 2):
            toward = [fields[a][:, b * width:(b + 1) * width] for a, b in ((i, j), (j, i))]
            logit = logit + (toward[0] * toward[1]).sum(dim=1)
        return logit


class Afm(Family):
    """wide + p . sum of a_ij (v_i * v_j), a = softmax of h . relu(W (v_i * v_j) + b)"""

    UNITS = 8

    def __init__(self, spec, dropout):
        super().__init__(spec, dropout)
        width = next(self.reader.width(name) for name in spec["deep"]["features"])
        self.attention = nn.Module()
        self.attention.layers = nn.ModuleList([nn.Linear(width, self.UNITS)])
        self.attention.head = nn.Linear(self.UNITS, 1, bias=False)
        self.head = nn.Linear(width, 1)

    def forward(self, batch):
        pairs = Pairs(self.deep.fields(batch))
        products = pairs.first * pairs.second
        weights = torch.softmax(self.attention.head(torch.relu(self.attention.layers[0](products))), dim=0)
        return self.wide(batch) + self.head((weights * products).sum(dim=0)).squeeze(1)


class Fnn(Family):
    """head(layers([w_1, v_1, w_2, v_2, ..., numbers]))"""

    def __init__(self, spec, dropout):
        reader = SpecReader(spec)
        uses = list(reader.uses("deep"))
        super().__init__(spec, dropout, reader.deep_width() + sum(1 for _, table, _ in uses if table))
        self.wide = Tables({table: (reader.row_count(reader.feature(name)), 1) for name, table, _ in uses if table},
                           0.01)

    def forward(self, batch):
        values = []
        for feature, table, combiner in self.deep.uses:
            if table:
                values += [part.look_up(table, batch[feature], combiner) for part in (self.wide, self.deep)]
            else:
                values.append(batch[feature])
        return self.tower(*values)


class WideDeep(Family):
    """wide + head(layers([deep features]))"""

    def forward(self, batch):
        return self.wide(batch) + self.tower(*self.deep.values(batch))


class Nfm(Family):
    """wide + head(layers([sum of v_i * v_j, numbers]))"""

    def __init__(self, spec, dropout):
        reader = SpecReader(spec)
        ids = [name for name, table, _ in reader.uses("deep") if table]
        super().__init__(spec, dropout,
                         reader.deep_width() - sum(reader.width(n) for n in ids) + reader.width(ids[0]))

    def forward(self, batch):
        pairs = Pairs(self.deep.fields(batch))
        return self.wide(batch) + self.tower((pairs.first * pairs.second).sum(dim=0), *self.numbers(batch))


class DeepFm(Family):
    """wide + sum of <v_i, v_j> + head(layers([deep features]))"""

    def forward(self, batch):
        pairs = Pairs(self.deep.fields(batch))
        products = (pairs.first * pairs.second).sum(dim=(0, 2))
        return self.wide(batch) + products + self.tower(*self.deep.values(batch))


class Pnn(Family):
    """head(layers([v_1, v_2, ..., <v_1, v_2>, ..., numbers]))"""

    def __init__(self, spec, dropout):
        reader = SpecReader(spec)
        ids = sum(1 for _, table, _ in reader.uses("deep") if table)
        super().__init__(spec, dropout, reader.deep_width() + ids * (ids - 1) // 2)

    def forward(self, batch):
        fields = self.deep.fields(batch)
        pairs = Pairs(fields)
        return self.tower(*fields, (pairs.first * pairs.second).sum(dim=2).T, *self.numbers(batch))


class Dcn(Family):
    """wide + head([cross(x), layers(x)]), x = [deep features]"""

    def __init__(self, spec, dropout):
        super().__init__(spec, dropout)
        width = self.reader.deep_width()
        self.matrix = spec["cross"]["parameterization"] == "matrix"
        self.cross = nn.Module()
        self.cross.layers = nn.ModuleList(nn.Linear(width, width if self.matrix else 1)
                                          for _ in range(spec["cross"]["layers"]))
        for layer in self.cross.layers:
            layer.bias = nn.Parameter(torch.zeros(width))
            nn.init.normal_(layer.weight, std=0.01)
        self.head = nn.Linear(width + self.deep.layers[-1].out_features, 1)

    def forward(self, batch):
        x0 = x = torch.cat(self.deep.values(batch), dim=1)
        for layer in self.cross.layers:
            product = x @ layer.weight.T
            x = x0 * (product + layer.bias) + x if self.matrix else x0 * product + layer.bias + x
        return self.wide(batch) + self.head(torch.cat([x, self.deep.layers(x0)], dim=1)).squeeze(1)


class Residual(Family):
    """(wide +) head(units([deep features])), a unit: act(x + W_1 act(W_0 x + b_0) + b_1)"""

    def __init__(self, spec, dropout):
        super().__init__({**spec, "deep": {"features": spec["deep"]["features"]}}, dropout)
        width = self.reader.deep_width()
        self.deep.units = nn.ModuleList(nn.Module() for _ in spec["deep"]["hidden_units"])
        for unit, inner in zip(self.deep.units, spec["deep"]["hidden_units"]):
            unit.layers = nn.ModuleList([nn.Linear(width, inner), nn.Linear(inner, width)])
        self.head = nn.Linear(width, 1)
        self._dropout = dropout

    def forward(self, batch):
        x = torch.cat(self.deep.values(batch), dim=1)
        for unit in self.deep.units:
            inner = nn.functional.dropout(torch.relu(unit.layers[0](x)), self._dropout, self.training)
            x = torch.relu(x + unit.layers[1](inner))
        logit = self.head(x).squeeze(1)
        return logit + self.wide(batch) if "wide" in self.spec else logit


class Drn(Family):
    """V(user) + A(user, movie)"""

    def __init__(self, spec, dropout):
        super().__init__(spec, dropout)
        value = spec["value"]
        self.value = nn.Module()
        width = sum(self.reader.width(name) for name in value["features"])
        self.value.layers = Layers([width] + value["hidden_units"], value["activation"], dropout=dropout)
        self.value.head = nn.Linear(value["hidden_units"][-1], 1)

    def forward(self, batch):
        values = dict(zip(self.spec["deep"]["features"], self.deep.values(batch)))
        state = torch.cat([values[name] for name in self.spec["value"]["features"]], dim=1)
        return self.value.head(self.value.layers(state)).squeeze(1) + self.tower(*values.values())


class Mlr(nn.Module):
    """A probability: sum over pieces of softmax(u x)_i sigmoid(w_i x). In training, its logit."""

    def __init__(self, spec, dropout):
        super().__init__()
        reader = SpecReader(spec)
        piecewise = spec["piecewise"]
        self.count = piecewise["count"]
        uses = [(name, reader.feature(name)) for name in piecewise["features"]]
        self.ids = [(name, reader.table(name), feature.get("combiner")) for name, feature in uses
                    if feature["type"] != "numeric"]
        self.names = [name for name, feature in uses if feature["type"] == "numeric"]
        width = sum(reader.width(name) for name in self.names)
        self.piecewise = nn.Module()
        for part in ("region", "base"):
            tables = Tables({table: (reader.row_count(reader.feature(name)), self.count) for name, table, _ in self.ids},
                            0.1)
            tables.numeric = nn.Module()
            tables.numeric.weight = nn.Parameter(0.1 * torch.randn(self.count, width))
            tables.bias = nn.Parameter(torch.zeros(self.count))
            self.piecewise.add_module(part, tables)

    def _linear(self, part, batch):
        total = torch.cat([batch[name] for name in self.names], dim=1) @ part.numeric.weight.T + part.bias
        return total + sum(part.look_up(table, batch[name], combiner) for name, table, combiner in self.ids)

    def forward(self, batch):
        regions = torch.softmax(self._linear(self.piecewise.region, batch), dim=1)
        p = (regions * torch.sigmoid(self._linear(self.piecewise.base, batch))).sum(dim=1)
        return torch.logit(p, eps=1e-6) if self.training else p


class NeuralCf(Family):
    """head([p * q, layers([p', q'])]) or one of both; with soft attention over what is joined"""

    def __init__(self, spec, dropout):
        super().__init__(spec, dropout)
        attention = spec.get("soft_attention", {}).get("over", [])
        width = 0
        if "gmf" in spec:
            table = self.reader.table(spec["gmf"]["item"])
            of_item = self.reader.feature(spec["gmf"]["item"])
            width = of_item["embedding"]["dimension"]
            self.gmf = Tables({table: (self.reader.row_count(of_item), width)}, 1.0)
            if "gmf" in attention:
                self.gmf.attention = nn.Linear(2 * width, 2 * width)
        if "deep" in spec:
            width += self.deep.layers[-1].out_features
            if "deep" in attention:
                joined = self.reader.deep_width()
                self.deep.attention = nn.Linear(joined, joined)
        self.head = nn.Linear(width, 1)

    @staticmethod
    def _attended(part, x):
        return torch.softmax(part.attention(x), dim=1) * x if hasattr(part, "attention") else x

    def forward(self, batch):
        parts = []
        if "gmf" in self.spec:
            table = next(iter(self.gmf.embedding))
            both = [self.gmf.look_up(table, batch[name], "mean") for name in ("history.movie_id", "movie_id")]
            x = self._attended(self.gmf, torch.cat(both, dim=1))
            parts.append(x[:, :x.shape[1] // 2] * x[:, x.shape[1] // 2:])
        if "deep" in self.spec:
            parts.append(self.deep.layers(self._attended(self.deep, torch.cat(self.deep.values(batch), dim=1))))
        return self.head(torch.cat(parts, dim=1)).squeeze(1)


MODELS = {"lr": Lr, "fm": Fm, "ffm": Ffm, "afm": Afm, "fnn": Fnn, "wide_deep": WideDeep, "nfm": Nfm, "deepfm": DeepFm,
          "pnn": Pnn, "dcn": Dcn, "dcn_v2": Dcn, "deep_crossing": Residual, "wide_resnet": Residual, "drn": Drn,
          "mlr": Mlr, "gmf": NeuralCf, "ncf_mlp": NeuralCf, "neumf": NeuralCf, "aneumf": NeuralCf}
