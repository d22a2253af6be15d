"""Models of two towers, written from their papers.

Huang et al., Learning Deep Structured Semantic Models for Web Search, CIKM 2013, equations 3 to 5 (with the
temperature's inverse for the smoothing factor, as DeepMatch has it); Covington et al., Deep Neural Networks for YouTube
Recommendations, RecSys 2016, section 3.
"""

import torch
from torch import nn

from plain_torch import Embeddings, Network


class Towers(nn.Module):

    def __init__(self, spec, generator):
        super().__init__()
        self._spec = spec["towers"]
        self.deep = Embeddings(spec, generator)
        self.towers = nn.ModuleDict({side: self._tower(self._spec[side]) for side in ("user", "item")})
        if self._spec["item"].get("bias", False):
            feature = self.deep.find(self._spec["item"]["features"][0])
            bias = torch.randn(feature["vocabulary"]["size"], 1, generator=generator)
            self.towers["item"].bias = nn.Parameter(bias)

    def _tower(self, tower):
        return Network(self.deep.width(tower["features"]), tower.get("hidden_units", []),
                       tower.get("activation", "relu"), tower.get("output_activation"),
                       tower.get("batch_normalization", False))

    def vectors(self, side, request):
        """[1 or candidates, width]"""
        return self.towers[side](self.deep.without_events(self._spec[side]["features"], request))

    def forward(self, request):
        user, item = self.vectors("user", request), self.vectors("item", request)
        if self._spec["similarity"] == "cosine":
            user, item = nn.functional.normalize(user, dim=1), nn.functional.normalize(item, dim=1)
        logits = (user * item).sum(dim=1) / self._spec.get("temperature", 1)
        if self._spec["item"].get("bias", False):
            name = self.deep.find(self._spec["item"]["features"][0])["name"]
            logits = logits + self.towers["item"].bias[torch.tensor(request["candidates"][name]), 0]
        return logits


class Candidates(Towers):
    """Trained by a softmax over all items."""

    def softmax_loss(self, request, rng):
        feature = self.deep.find(self._spec["item"]["features"][0])
        count = feature["vocabulary"]["size"]
        everything = {**request, "candidates": {feature["name"]: list(range(count))}}
        return nn.functional.cross_entropy(self(everything)[None], torch.tensor([int(rng.integers(count))]))
