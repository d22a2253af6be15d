"""Live models of DeepCTR-Torch, exported and converted: the bundle must say what the model says.

    HANDPICK_BINARY=<the command> PYTHONPATH=converter/python:<checkout of DeepCTR-Torch 0.2.9> python3 live_deepctr_torch_test.py

Skipped where PyTorch or the library is not installed. The models are those of tests/goldens, built by the same lines and
not trained: every number of theirs is random.
"""

import importlib.util
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
