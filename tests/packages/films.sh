# shellcheck shell=bash
# The bundle of examples/quickstart, for tests of packages: DIN on MovieLens in float32, with a catalog and a recall index.

make_films() { # file
  local model=examples/din/model part
  part=$(mktemp -d)
  bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
  bazel-bin/converter/cli/handpick convert --spec "$model/model.spec.json" --weights "$model/model.safetensors" \
    --catalog "$model/catalog.jsonl" --golden "$model/golden.jsonl" --precision f32 --out "$part/ranker.hpk" >/dev/null
  bazel-bin/converter/cli/handpick recall-index --vectors examples/item2vec/model/item2vec.npz \
    --bundle "$part/ranker.hpk" --k 200 --out "$1" >/dev/null
  rm -rf "$part"
}
