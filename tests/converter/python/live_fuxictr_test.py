"""Live models of FuxiCTR, exported and converted: the bundle must say what the model says.

    HANDPICK_BINARY=<the command> PYTHONPATH=converter/python:<checkout of FuxiCTR 2.3.9> python3 live_fuxictr_test.py

Skipped where PyTorch or the library is not installed. The models are those of tests/goldens/fuxictr, every number of
theirs random.
"""

import importlib.util
import os
import sys
import tempfile
import unittest

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import golden_variants  # noqa: E402
import handpick  # noqa: E402

_MISSING = [name for name in ("torch", "fuxictr") if importlib.util.find_spec(name) is None]


def _randomise(model, seed):
    """Nothing is 0, nothing is 1; but row 0 of a table pads, and is zeros."""
    import torch  # pylint: disable=import-outside-toplevel
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            tensor.copy_(0.4 * torch.randn(tensor.shape, generator=generator))
            if name.endswith("running_var"):
                tensor.abs_().add_(0.3)
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.weight[0] = 0


@unittest.skipIf(_MISSING, f"not installed: {', '.join(_MISSING)}")
class LiveModels(unittest.TestCase):
    def test_every_golden_model(self):
        import torch  # pylint: disable=import-outside-toplevel
        torch.set_num_threads(1)
        sys.path.insert(0, os.path.join(golden_variants.GOLDENS, "fuxictr"))
        import library  # pylint: disable=import-outside-toplevel
        import make_goldens  # pylint: disable=import-outside-toplevel
        for seed, variant in enumerate(make_goldens.all_variants()):
            with self.subTest(f"{variant.kind} {variant.name}"):
                self._check(variant, library, make_goldens.features_of(variant), seed)

    def _check(self, variant, library, features, seed):
        task = "binary_classification" if variant.task == "binary" else variant.task
        model = library.model_class(variant.model)(
            library.feature_map(features, variant.width), embedding_dim=variant.width, gpu=-1, task=task, optimizer="adam",
            loss="binary_crossentropy", metrics=[], verbose=0, model_root=".", **variant.arguments)
        _randomise(model, seed)
        candidate = [c.name for c in variant.columns if c.side == "candidate"]
        history = {c.name: c.name for c in variant.columns if c.side == "history"}
        rows = golden_variants.rows(variant, np.random.default_rng(seed))
        with tempfile.TemporaryDirectory() as folder:
            files = handpick.export(model, None, rows, folder, candidate=candidate, history=history)
            report = handpick.convert(files.spec, files.weights, os.path.join(folder, "model.hpk"), golden=files.golden)
        goldens = report["goldens"]
        print(f"{variant.kind:14} {variant.name:40} {goldens['requests']:3} requests, {goldens['max_error_bundle']:.1e} off at most")
        self.assertLess(goldens["max_error_bundle"], 1e-4)


if __name__ == "__main__":
    unittest.main(verbosity=2)  # Says what is skipped, and why.
