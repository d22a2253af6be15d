// The `handpick` command. Exit status: 0 fine, 1 failed, 2 wrong usage; more where a command's help
// says so.
#include <signal.h>
#include <stdio.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/check_files.h"
#include "converter/cli/command_line.h"
#include "converter/cli/commands.h"
#include "converter/cli/output.h"
#include "converter/io/nearest_name.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"

namespace handpick::converter {
namespace {

constexpr int kUsageError = 2;

const std::vector<Command>& Commands() {
  static const auto* const kCommands = new std::vector<Command>{
      {"convert",
       "make a bundle from a model spec and trained weights",
       "handpick convert --spec S.json --weights W --out B.hpk [flags]",
       R"(Turns a trained model into one file that the runtime ranks with.

  handpick convert --spec model.spec.json --weights model.safetensors --out ranker.hpk

keeps float32. With rows to measure on, the same in 8 bits, which fails and writes nothing when the
ranking would suffer:

  handpick convert --spec model.spec.json --weights model.safetensors --out ranker.hpk \
      --precision int8 --catalog catalog.jsonl --golden golden.jsonl \
      --evaluation evaluation.jsonl,ranking.jsonl --report report.json

Each table and layer in the precision that it needs, the fewest bytes within a budget:

  handpick convert --spec model.spec.json --weights model.safetensors --out ranker.hpk \
      --precision auto --budget auc=0.0005,overlap=0.98 --evaluation evaluation.jsonl,ranking.jsonl

Weights are a .safetensors, .npz, PyTorch .pt or Keras .h5 file, or the .index of a TensorFlow
checkpoint; `handpick inspect FILE` lists what is in it.

The bundle is scored by the runtime itself and compared with float64 loops over the model as it was
trained, on every instruction set of this machine, of which the worst counts. A bound that does not
hold is named: auc_drift, top10_overlap, golden_logit_error.

Ids that training hardly saw may share a row. How often it saw each is in a CSV file with the header
feature,id,count:

  handpick convert --spec model.spec.json --weights model.safetensors --out ranker.hpk \
      --counts counts.csv --min-count 5 --evaluation evaluation.jsonl,ranking.jsonl

--embeddings names another archive, for embedding tables that --weights lacks: those of a factorization
machine below a network, say.

Models of kinds gbdt and gbdt_lr take their trees from XGBoost's JSON or LightGBM's text; a gbdt has
no other weights:

  handpick convert --spec gbdt.spec.json --trees model.json --out ranker.hpk

The bundle keeps the name, size and XXH3 of each file it is made from, for `inspect`; pipes and the
standard input have none.
)",
       {"spec", "out"},
       {"weights",
        "trees",
        "embeddings",
        "precision",
        "catalog",
        "ignore_unknown",
        "golden",
        "evaluation",
        "report",
        "tile",
        "budget",
        "keep",
        "min_runtime",
        "max_auc_drift",
        "min_top10_overlap",
        "max_golden_error",
        "instruction_sets",
        "clip_outliers",
        "counts",
        "min_count"},
       0,
       RunConvert},
      {"draft",
       "draft a model spec from trained weights",
       "handpick draft --weights W --out S.json [--golden G.jsonl] [--columns C.json]",
       R"(Writes what names and shapes of the tensors say of a model: its kind, layout, tables, layers.

  handpick draft --weights model.safetensors --golden golden.jsonl --out model.spec.json

Golden requests with the trainer's logits show the features, and tell what shapes cannot: what is left
is tried, and taken where it alone computes those logits. What stays open is in the draft as a string
that begins with "?" and lists the choices; `convert` refuses it until it is answered.

--columns says what you know: a list of features as a spec has them, in the trainer's order, or any
other part of a spec. Of a feature anything but the name may be left out:

  [{"name": "movie_id", "side": "candidate"}, {"name": "genres", "combiner": "mean"}]

It ends by saying what was inferred from what, and how sure it is.
)",
       {"weights", "out"},
       {"golden", "columns"},
       0,
       RunDraft},
      {"inspect",
       "say what is inside a bundle and what it costs, or list weights",
       "handpick inspect B.hpk [--json] [--cost] [flags]",
       R"(Prints the features, tables and layers of a bundle, bytes per part, the memory that a session
needs, the work per context, event and candidate, and the drift that was measured when it was made.

  handpick inspect ranker.hpk
  handpick inspect ranker.hpk --json | jq .memory.session_bytes

Of a file of trained weights (.safetensors, .npz, .pt, .pth, .h5, .index): the name, type, size and
shape of each tensor.

  handpick inspect checkpoint.pt

With --cost also how long each step should take, and from them a context change, an event and a
candidate. The machine is this one, or the one that the flags describe:

  handpick inspect ranker.hpk --cost --f32-gflops 30 --int8-gops 120 --read-gigabytes 8 \
      --random-megarows 20

With --device they are those of a core that phones have, from a static analysis of the kernels'
loops, at a clock that is assumed:

  handpick inspect ranker.hpk --device a55
  handpick inspect ranker.hpk --device all
)",
       {},
       {"json", "cost", "device", "events", "f32_gflops", "int8_gops", "read_gigabytes",
        "random_megarows"},
       1,
       RunInspect},
      {"evaluate",
       "measure a bundle on rows, compare it, and decide whether it may ship",
       "handpick evaluate --bundle B.hpk --rows E.jsonl [--against OLD.hpk] [--require R] [flags]",
       R"(Ranks rows with labels, and prints AUC, GAUC, log loss, NDCG, hit rate, MRR and calibration, each with
its 95 % interval.

  handpick evaluate --bundle ranker.hpk --rows rows.jsonl

Against the bundle that is out there, or in float64 (--against reference): the change of each metric, and how
much of the ranking stayed: overlap of the first k, Kendall's tau, differences of logits.

  handpick evaluate --bundle new.hpk --against old.hpk --rows rows.jsonl --group-by user_id       --slice country,history       --require 'auc >= 0.75' --require 'auc.change >= -0.001' --require 'ndcg@10.relative >= -0.01 @ *'

A requirement passes when all of the interval meets it, and fails when nothing of it does. In between it is
undecided, with about how many rows it would take. What was not measured is an error, never a pass. Exit status: 0
all pass, 1 an error, 3 one fails, 4 one is undecided.

On many machines: --partial writes a summary of some of the rows, --merge adds summaries up. The numbers are those of
one process.

  handpick evaluate --bundle new.hpk --rows part-07.jsonl --partial part-07.summary
  handpick evaluate --merge part-00.summary,part-01.summary --require 'auc >= 0.75'

The bundle that ships says why: --write-verdict writes it again with what was measured, demanded and decided
in its manifest, if it passed. `inspect` and `diff` show it; it must be signed again.

  handpick evaluate --bundle new.hpk --rows rows.jsonl --require 'auc >= 0.75' --write-verdict release.hpk

--report R.html is one page with everything: verdicts, intervals, reliability, where scores differ, sizes; with
--conversion, the report of convert --precision auto, what each table and layer costs. --junit and --markdown are for CI.
)",
       {},
       {"bundle",        "rows",
        "against",       "output",
        "group_by",      "slice",
        "require",       "k",
        "replicates",    "threads",
        "partial",       "merge",
        "report",        "conversion",
        "junit",         "markdown",
        "json",          "instruction_sets",
        "rows_format",   "header",
        "write_verdict", "even_if_failed",
        "ignore_unknown"},
       0,
       RunEvaluate},
      {"compare",
       "find the step where a bundle parts from what it was made of",
       "handpick compare --bundle B.hpk --requests R.jsonl (--against A.hpk | --spec S --weights "
       "W)",
       R"(Scores the requests by the bundle, in the runtime, and by the reference, in float64: the model as it
was trained, or another bundle of it. Of the candidate whose logit is farthest off it compares every
value, step by step, and names the first that is out of its bound: step, event, column, feature, row,
what was expected and what is there.

  handpick compare --bundle int8.hpk --spec model.spec.json --weights model.safetensors       --requests ranking.jsonl
  handpick compare --bundle int8.hpk --against f32.hpk --requests ranking.jsonl

How far a value may be off follows from the roughest type that led to it; --bound says it for all.
Exit status: 0 all within, 1 an error, 3 one is out.
)",
       {"bundle", "requests"},
       {"against", "spec", "weights", "output", "bound", "json"},
       0,
       RunCompare},
      {"diff",
       "say what an app must know before it takes one bundle for another",
       "handpick diff OLD.hpk NEW.hpk [--json]",
       R"(Compares what two bundles ask for and say: format, features with their sides, types and defaults,
histories, outputs; and what is inside: tables, layers, steps, catalog, index of recall, bytes, memory,
what was measured when they were made.

  handpick diff monday.hpk tuesday.hpk

A change is breaking if requests or answers of the old bundle would not do for the new one: a feature
that is new and has no default, another side, type or number of values, an output that is gone. Exit
status: 0 the app needs no change, 1 an error, 3 it does.
)",
       {},
       {"json"},
       2,
       RunDiff},
      {"delta",
       "write what is new in a bundle, to send in its place",
       "handpick delta OLD.hpk NEW.hpk --out D.delta",
       R"(Bytes that the old bundle has are left out. An app makes the new bundle of its old one and the delta
(hp_update_apply of handpick/update.h), and so does `handpick patch`.

  handpick delta monday.hpk tuesday.hpk --out tuesday.delta
)",
       {"out"},
       {},
       2,
       RunDelta},
      {"patch",
       "make a new bundle of an old one and a delta",
       "handpick patch OLD.hpk D.delta --out NEW.hpk",
       R"(Writes the bundle that the delta was made for, byte for byte, or nothing.

  handpick patch monday.hpk tuesday.delta --out tuesday.hpk
)",
       {"out"},
       {},
       2,
       RunPatch},
      {"score",
       "score the candidates of requests",
       "handpick score --bundle B.hpk --requests R.jsonl [--reference] [--tile N]",
       R"(Prints one line per request: {"logits":[...],"scores":[...]}, candidates in their order.

  handpick score --bundle ranker.hpk --requests requests.jsonl
  echo '{"context":{"user_id":12},"candidates":{"movie_id":[1,2,3]}}' |
      handpick score --bundle ranker.hpk --requests -

Of a model with several outputs: {"outputs":{"ctr":[...],"cvr":[...]},"scores":{"ctr":[...],...}}.
Scores come from the runtime that an app uses; with --reference from float64 loops over the numbers
in the bundle, to see what the runtime's arithmetic changes.
)",
       {"bundle", "requests"},
       {"reference", "tile", "ignore_unknown"},
       0,
       RunScore},
      {"rank",
       "name the best candidates of requests",
       "handpick rank --bundle B.hpk --requests R.jsonl [--top-k K] [--output NAME] [--tile N]",
       R"(Prints one line per request, the best candidate first:
{"ranked":[{"index":3,"id":12,"score":0.91,"logit":2.3},...]}. `index` counts the request's
candidates from 0; `id` is there when the bundle has a catalog and the request names its key. Of a
model with several outputs, `outputs` has the scores by all of them: {"ctr":0.2,"cvr":0.03}.

  handpick rank --bundle ranker.hpk --requests requests.jsonl --top-k 5
  handpick rank --bundle ranker.hpk --requests requests.jsonl --output cvr
)",
       {"bundle", "requests"},
       {"top_k", "output", "tile", "ignore_unknown"},
       0,
       RunRank},
      {"bench",
       "measure how fast a bundle is on this machine",
       "handpick bench --bundle B.hpk [flags]",
       R"(Makes up requests and measures them in the runtime that an app uses, in one thread: p50, p90 and p99
of a request, warm and cold, opening the file, a session, a context change, an event, each step with
its share of the machine's peak, memory, and beside each what `inspect --cost` predicts.

  handpick bench --bundle ranker.hpk
  handpick bench --bundle ranker.hpk --candidates 100,200 --events 20 --format json

A request sets the context and the history and scores candidates. Times are CPU time. They count only
while the machine runs at full speed: a small product just before and just after tells.
)",
       {"bundle"},
       {"candidates", "events", "seconds", "seed", "format", "tile", "gate", "simd", "f32_gflops",
        "int8_gops", "read_gigabytes", "random_megarows"},
       0,
       RunBench},
      {"item-vectors",
       "make item vectors of embeddings of items and their side information",
       "handpick item-vectors --eges E.json --weights W --out V.safetensors [--new-items-alone]",
       R"(Merges, for each item, its embedding and those of its category, its shop and so on, by the weights
that were trained (EGES, Wang et al., KDD 2018). The file is what recall-index takes.

  handpick item-vectors --eges eges.json --weights eges.safetensors --out vectors.safetensors

eges.json names the tensors; converter/README.md says what is in them:

  {"ids": "ids", "item": "item.weight", "weights": "alpha.weight",
   "side_information": [{"table": "genre.weight", "rows": "genre"}],
   "new_items": {"ids": "new_ids", "rows": ["new_genre"]}}

A new item, which training has not seen, gets the mean of the embeddings of its side information.
)",
       {"eges", "weights", "out"},
       {"new_items_alone"},
       0,
       RunItemVectors},
      {"recall-index",
       "make a recall index of item vectors",
       "handpick recall-index (--vectors V | --bundle B.hpk ...) --out R.hpk [flags]",
       R"(Measures hash families, tables and probes on the vectors and takes the fastest index that finds
the share of the best k that is wanted, within the bytes; an exact scan where that is faster. A
target that cannot be reached is refused, with the best that was found.

  handpick recall-index --vectors item2vec.npz --out recall.hpk
  handpick recall-index --vectors item2vec.npz --bundle ranker.hpk --out recommender.hpk \
      --recall 0.98 --k 200 --report report.json --plot curve.svg

With --bundle the index goes beside a model. Vectors may come from a table of it, and the user's
vector from a value that it computes:

  handpick recall-index --bundle ranker.hpk --table deep.movie_id --metric inner-product \
      --user-value deep.interaction.sum.context --out recommender.hpk

A model of two towers has both: the item's tower is run over the bundle's catalog, and the user's
makes what is looked for. --metric follows from the model:

  handpick recall-index --towers --bundle two_tower.hpk --out recommender.hpk
)",
       {"out"},
       {"vectors",
        "vectors_format",
        "vectors_tensor",
        "ids_tensor",
        "ids",
        "id_type",
        "bundle",
        "table",
        "feature",
        "history_feature",
        "candidate_feature",
        "user_value",
        "item_value",
        "towers",
        "metric",
        "family",
        "rows",
        "recall",
        "k",
        "bytes_per_item",
        "queries",
        "held_out",
        "max_history",
        "name",
        "report",
        "plot"},
       0,
       RunRecallIndex},
      {"recall",
       "name the items that a recall index finds",
       "handpick recall --bundle B.hpk (--item I | --history I,I,... | --requests R.jsonl) [flags]",
       R"(Asks the runtime that an app uses. A line of --requests has what to ask with, and what to leave
out: {"history":[1,2,3],"exclude":[4]} or {"vector":[0.1,-0.2],"exclude":[]}. Items of the history
are left out, too.

  handpick recall --bundle recall.hpk --item 1 --k 5
  handpick recall --bundle recall.hpk --history 1,50,260 --user recent --format json
)",
       {"bundle"},
       {"item", "history", "requests", "user", "half_life", "interests", "k", "probes", "exact",
        "format"},
       0,
       RunRecall},
      {"recommend",
       "recall items for users, and rank them",
       "handpick recommend --bundle B.hpk --requests R.jsonl [--k K] [--top-k N] [flags]",
       R"(Does what an app does with a bundle that has a model and a recall index: recalls K items for the
context and history of each request, ranks them with the model, and prints the best N, one line a
request: {"outcome":"found","recommended":[{"id":12,"score":0.91,"logit":2.3,"recall_score":0.6},...]}.

  handpick recommend --bundle recommender.hpk --requests requests.jsonl --k 200 --top-k 10
)",
       {"bundle", "requests"},
       {"k", "top_k", "output", "user", "half_life", "interests", "probes", "exact",
        "ignore_unknown"},
       0,
       RunRecommend},
      {"recall-eval",
       "measure a recall index",
       "handpick recall-eval --bundle B.hpk [--vectors V] [--queries Q] [flags]",
       R"(Prints recall@k, queries a second on one thread, item vectors compared, and bytes an item: of the
index as it is, with fewer and more probes, and of an exact scan. What should be found comes from
--vectors, as they were before they were rounded to 8 bits, or from the index's own rows.

  handpick recall-eval --bundle recall.hpk --vectors item2vec.npz --plot recall.svg
)",
       {"bundle"},
       {"vectors", "vectors_format", "vectors_tensor", "ids_tensor", "ids", "id_type", "queries",
        "held_out", "k", "max_probes", "format", "plot"},
       0,
       RunRecallEval},
      {"sign",
       "sign a bundle, so that an app can tell who made it",
       "handpick sign --bundle B.hpk --key SECRET.pem --out S.hpk",
       R"(Signs all bytes with a secret key of Ed25519, and prints the public key that belongs to it. `verify
--key` takes either form of that. OpenSSL makes keys:

  openssl genpkey -algorithm ed25519 -out secret.pem
  openssl pkey -in secret.pem -pubout -out public.pem
  handpick sign --bundle ranker.hpk --key secret.pem --out signed.hpk
  handpick verify --bundle signed.hpk --key public.pem

What changes a bundle (recall-index) leaves it without a signature: it is signed last.
)",
       {"bundle", "key", "out"},
       {},
       0,
       RunSign},
      {"verify",
       "check a bundle's bytes and replay its golden requests",
       "handpick verify --bundle B.hpk [--key PUBLIC.pem] [--tile N]",
       R"(Compares every byte of a bundle with the hashes inside, then scores the golden requests inside on
this machine and compares the logits with the trainer's. An app can do the same on a device:
hp_model_check() and hp_session_check_goldens().

  handpick verify --bundle ranker.hpk

With --key, a file of a public key (PEM, or 64 hexadecimal digits), the bundle must be signed with it.
)",
       {"bundle"},
       {"key", "tile"},
       0,
       RunVerify},
  };
  return *kCommands;
}

const Command* FindCommand(const std::string& name) {
  for (const Command& command : Commands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::string Overview() {
  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_get_build_info(&build);
  std::string text = absl::StrCat(
      "handpick ", build.version,
      ": turns trained recommenders into bundles that rank on a phone.\n\nCommands:\n");
  for (const Command& command : Commands()) {
    absl::StrAppendFormat(&text, "  %-13s %s\n", command.name, command.summary);
  }
  absl::StrAppend(&text, "  help          explain a command: handpick help convert\n\nModels:\n");
  for (const ModelKind& kind : kModelKinds) {
    absl::StrAppendFormat(&text, "  %-13s %s\n", kind.name, kind.help);
  }
  absl::StrAppend(&text, "\nLayouts of their weights:\n");
  for (const LayoutRow& layout : Layouts()) {
    absl::StrAppendFormat(&text, "  %-13s %s\n", layout.name, layout.help);
  }
  absl::StrAppend(&text,
                  "\nA first run:\n"
                  "  handpick convert --spec model.spec.json --weights model.safetensors --out "
                  "ranker.hpk\n"
                  "  handpick inspect ranker.hpk\n"
                  "  handpick rank --bundle ranker.hpk --requests requests.jsonl --top-k 10\n");
  return text;
}

int UnknownCommand(const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const Command& command : Commands()) names.push_back(command.name);
  fprintf(stderr, "handpick: unknown command '%s'%s; 'handpick help' lists them\n", name.c_str(),
          Suggestion(name, names).c_str());
  return kUsageError;
}

int Help(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    printf("%s", Overview().c_str());
    return 0;
  }
  const Command* command = FindCommand(arguments.front());
  if (command == nullptr) return UnknownCommand(arguments.front());
  printf("%s", HelpOf(*command).c_str());
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    fprintf(stderr, "%s", Overview().c_str());
    return kUsageError;
  }
  const std::string& name = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "help" || name == "--help" || name == "-h") return Help(rest);
  const Command* command = FindCommand(name);
  if (command == nullptr) return UnknownCommand(name);
  for (const std::string& argument : rest) {
    if (argument == "--help" || argument == "-h") return Help({name});
    if (argument == "--") break;
  }
  const absl::StatusOr<std::vector<std::string>> positional = ParseArguments(*command, rest);
  if (!positional.ok()) {
    return FailUsage(command->name, std::string(positional.status().message()));
  }
  if (const absl::Status status = CheckFiles(*positional); !status.ok()) {
    return Fail(command->name, status);
  }
  return command->run(*positional);
}

}  // namespace
}  // namespace handpick::converter

int main(int argc, char** argv) {
  // Errors of a write instead: what was begun is tidied up.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  try {
    const int status =
        handpick::converter::Main(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    if (status != 0) return status;
    const absl::Status printed = handpick::converter::FlushOutput();
    if (printed.ok()) return 0;
    fprintf(stderr, "handpick: %s\n", std::string(printed.message()).c_str());
    return 1;
  } catch (const std::bad_alloc&) {
    fprintf(stderr, "handpick: out of memory\n");
  } catch (const std::exception& error) {
    fprintf(stderr, "handpick: %s\n", error.what());
  }
  return 1;
}
