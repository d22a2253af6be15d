"""Live models of DeepCTR-Torch, exported and converted: the bundle must say what the model says.

    HANDPICK_BINARY=<the command> PYTHONPATH=converter/python:<checkout of DeepCTR-Torch 0.2.9> python3 live_deepctr_torch_test.py

Skipped where PyTorch or the library is not installed. The models are those of tests/goldens, built by the same lines and
not trained: every number of theirs is random.
"""

import importlib.util
import json
import os
import sys
import tempfile
import unittest
import warnings

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import golden_variants  # noqa: E402
import handpick  # noqa: E402

_MISSING = [name for name in ("torch", "sklearn", "deepctr_torch") if importlib.util.find_spec(name) is None]


def _randomise(model, *unused_args, **unused_kwargs):
    """Instead of training: nothing is 0, nothing is 1."""
    import torch  # pylint: disable=import-outside-toplevel
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_mean"):
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
            elif name.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif name.endswith(("bias", "alpha")):
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))


def _makers(kind):
    """The module that builds a folder's models."""
    for name in ("variants", "make_goldens", "paper_model"):  # Each folder has its own.
        sys.modules.pop(name, None)
    folder = os.path.join(golden_variants.GOLDENS, kind)
    sys.path.insert(0, folder)
    try:
        module = golden_variants.load(kind, "make_goldens")
    finally:
        sys.path.remove(folder)
    if kind == "dcn":
        module.dcn.DNN = module.without_refusal(module.dcn.DNN)
    return module


@unittest.skipIf(_MISSING, f"not installed: {', '.join(_MISSING)}")
class LiveModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import maker  # pylint: disable=import-outside-toplevel
        import tasks  # pylint: disable=import-outside-toplevel
        import torch  # pylint: disable=import-outside-toplevel
        torch.set_num_threads(1)
        maker.train = tasks.train = _randomise

    def _check(self, kind, variant, module, seed):
        rng = np.random.default_rng(seed)
        model = module.make_model(variant, seed, rng)
        model.train()
        with tempfile.TemporaryDirectory() as folder:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                files = handpick.export(model, None, golden_variants.rows(variant, rng), folder,
                                        **golden_variants.roles(variant))
            self.assertTrue(model.training)
            report = handpick.convert(files.spec, files.weights, os.path.join(folder, "model.hpk"), golden=files.golden)
        goldens = report["goldens"]
        print(f"{kind:14} {variant.name:40} {goldens['requests']:3} requests, {goldens['max_error_bundle']:.1e} off at most")
        self.assertGreater(goldens["requests"], 0)
        self.assertLess(goldens["max_error_bundle"], 1e-4)


    def test_histories_of_different_events(self):
        """Two that are pooled, beside one that DIN attends to."""
        _makers("din")  # Imports the library.
        import torch  # pylint: disable=import-outside-toplevel
        from deepctr_torch.inputs import SparseFeat, VarLenSparseFeat  # pylint: disable=import-outside-toplevel
        from deepctr_torch.models import DIN, WDL  # pylint: disable=import-outside-toplevel

        def ids(name, size, most, length, table=None):
            return VarLenSparseFeat(SparseFeat(name, size, 4, embedding_name=table or name), most, "mean", length)
        user, item = SparseFeat("user", 20, 4), SparseFeat("item", 30, 4)
        pooled = [ids("bought", 30, 3, "bought_count", "item"), ids("queries", 9, 3, "bought_count"), ids("shops", 8, 4, None)]
        attended = ids("hist_item", 30, 6, "seq_length", "item")
        rng = np.random.default_rng(5)
        rows = {"user": rng.integers(20, size=40), "item": rng.integers(30, size=40)}
        for name, size, most in (("bought", 30, 3), ("queries", 9, 3), ("shops", 8, 4), ("hist_item", 30, 6)):
            rows[name] = rng.integers(size, size=(40, most))
        rows["shops"][:, 2:] = 0
        rows["bought_count"], rows["seq_length"] = rng.integers(4, size=40), rng.integers(7, size=40)
        deep = [user, item, *pooled]
        for kind, model in (("wide_deep", WDL([user, item, *pooled], deep, dnn_hidden_units=[6], seed=3)),
                            ("din", DIN([*deep, attended], ["item"], dnn_hidden_units=[6], att_hidden_size=[5], seed=3))):
            generator = torch.Generator().manual_seed(7)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # DIN counts by the first length of all, which is not its history's.
                    files = handpick.export(model, None, rows, folder, candidate=["item"],
                                            history=["bought", "queries", "shops"], max_events={"shops": 9})
                with open(files.spec, encoding="utf-8") as file:
                    sequences = json.load(file)["sequences"]
                found = {"bought": 3, "shops": 9}
                self.assertEqual({own["name"]: own["max_events"] for own in sequences},
                                 found if kind == "wide_deep" else {"item": 6, **found})
                report = handpick.convert(files.spec, files.weights, os.path.join(folder, "model.hpk"), golden=files.golden)
                self.assertEqual(report["goldens"]["requests"], 40)
                self.assertLess(report["goldens"]["max_error_bundle"], 1e-4)


def _add_tests():
    for kind in golden_variants.KINDS:
        def test(self, kind=kind):
            module = _makers(kind)
            for seed, variant in enumerate(golden_variants.of_library(kind)):
                with self.subTest(variant.name):
                    self._check(kind, variant, module, seed)
        setattr(LiveModels, f"test_{kind}", test)


_add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2)  # Says what is skipped, and why.
