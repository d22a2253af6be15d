#include "converter/cli/flags.h"

#include "absl/flags/flag.h"

ABSL_FLAG(std::optional<std::string>, spec, std::nullopt,
          "Model spec, JSON (schema/model_spec.schema.json).");
ABSL_FLAG(std::optional<std::string>, weights, std::nullopt,
          "Trained weights: .safetensors, .npz, .pt, .pth or .h5; the .index of a TensorFlow "
          "checkpoint, or the folder of a SavedModel.");
ABSL_FLAG(std::optional<std::string>, embeddings, std::nullopt,
          "Another archive, for the embedding tables that --weights lacks.");
ABSL_FLAG(std::optional<std::string>, trees, std::nullopt,
          "Trees, of kinds gbdt and gbdt_lr: XGBoost's JSON or LightGBM's text.");
ABSL_FLAG(std::optional<std::string>, out, std::nullopt, "The file to write.");
ABSL_FLAG(std::optional<std::string>, key, std::nullopt,
          "A key of Ed25519: to sign, the secret one, in PEM; to verify, the public one.");
ABSL_FLAG(
    std::optional<std::string>, precision, std::nullopt,
    "f32 (default); f16 or int8: embeddings and dense layers in 16 or 8 bits; auto: each in its "
    "own, the fewest bytes within --budget.");
ABSL_FLAG(
    std::optional<std::string>, budget, std::nullopt,
    "Of --precision auto: auc=0.0005,overlap=0.98,logit=0.05,size=20MB,memory=1MB, any of them.");
ABSL_FLAG(std::optional<std::string>, keep, std::nullopt,
          "Tables and layers in a precision of their own, by regular expressions: "
          "'attention.*=f32,item_id=int8'. Several: repeat, or separate by ','.");
ABSL_FLAG(std::optional<std::string>, counts, std::nullopt,
          "How often training saw each id: CSV with the header feature,id,count.");
ABSL_FLAG(std::optional<uint64_t>, min_count, std::nullopt,
          "Of --counts: ids that training saw less often share one row of each table. Without it, "
          "--precision auto tries some.");
ABSL_FLAG(bool, clip_outliers, false,
          "Of int8 tables: cut off a number that leaves nothing of the others of its row, at the "
          "largest of the other rows. --precision auto does where that is nearer to float64.");
ABSL_FLAG(std::optional<std::string>, catalog, std::nullopt,
          "Items, one JSON object a line, to keep in the bundle: requests then name ids alone.");
ABSL_FLAG(bool, ignore_unknown, false,
          "Leave out what items of --catalog, or requests, have besides features of the model: "
          "titles, say.");
ABSL_FLAG(
    std::optional<std::string>, golden, std::nullopt,
    "Requests with the trainer's logits, to keep in the bundle: every device can replay them.");
ABSL_FLAG(std::optional<std::string>, columns, std::nullopt,
          "What is known of the model already, in the form of a spec, or of its features alone.");
ABSL_FLAG(
    std::optional<std::string>, evaluation, std::nullopt,
    "Requests to measure on, with labels for AUC. Several files: repeat, or separate by ','.");
ABSL_FLAG(std::optional<std::string>, report, std::nullopt,
          "Writes what was measured as JSON; evaluate: as a page of HTML.");
ABSL_FLAG(std::optional<uint32_t>, tile, std::nullopt,
          "Candidates that go through the model together: memory against speed, never the scores.");
ABSL_FLAG(std::optional<std::string>, min_runtime, std::nullopt,
          "The format of the oldest runtime that is out there (2.0): fail when it would not open "
          "the bundle, and say which part it does not know.");
ABSL_FLAG(std::optional<double>, max_auc_drift, std::nullopt,
          "Fail (auc_drift) when AUC moves by more. Default with --evaluation and labels: 0.001.");
ABSL_FLAG(std::optional<double>, min_top10_overlap, std::nullopt,
          "Fail (top10_overlap) below this share. Default with --evaluation: 0.95.");
ABSL_FLAG(std::optional<double>, max_golden_error, std::nullopt,
          "Fail (golden_logit_error) when a logit is off by more, relative to max(1, |logit|). "
          "Default with --golden: 1e-4 (f16 and int8: for the import alone).");
ABSL_FLAG(std::optional<std::string>, bundle, std::nullopt, "A bundle that convert wrote.");
ABSL_FLAG(std::optional<std::string>, requests, std::nullopt,
          "Requests, one JSON object a line (schema/request.schema.json); - reads standard input.");
ABSL_FLAG(
    std::optional<std::string>, against, std::nullopt,
    "What the bundle is compared with: another bundle, or (evaluate) reference, which is its own "
    "numbers in float64.");
ABSL_FLAG(std::optional<double>, bound, std::nullopt,
          "How far a value may be off, relative to the numbers of its row. Default: by the types "
          "that led to it, f32 1e-5, f16 4e-3, int8 0.05, int4 0.5.");
ABSL_FLAG(std::optional<std::string>, group_by, std::nullopt,
          "The tag or context feature that names the user, whose rows lie together. Default: each "
          "request is a user of its own.");
ABSL_FLAG(std::optional<std::string>, slice, std::nullopt,
          "Measure by slices, too: a tag, a context feature, or history (its length; "
          "history:1:10:50 for ranges from these on). Several: repeat, or separate by ','.");
ABSL_FLAG(std::optional<std::string>, require, std::nullopt,
          "'auc >= 0.75', 'ndcg@10.change >= -0.002', 'log_loss.relative <= 0.01 @ country=DE'; "
          "'@ *' is every slice. Several: repeat, or separate by ','.");
ABSL_FLAG(std::optional<uint32_t>, replicates, std::nullopt,
          "Of the bootstrap that gives the intervals. Default 400.");
ABSL_FLAG(std::optional<uint32_t>, threads, std::nullopt, "Default: as many as there are cores.");
ABSL_FLAG(
    std::optional<std::string>, write_verdict, std::nullopt,
    "Writes the bundle again, with what was measured, demanded and decided in its manifest. It "
    "must be signed again.");
ABSL_FLAG(bool, even_if_failed, false,
          "Of --write-verdict: write the bundle also when it failed, or is undecided.");
ABSL_FLAG(std::optional<std::string>, partial, std::nullopt,
          "Writes what was measured in a form that --merge adds up; - is standard output.");
ABSL_FLAG(
    std::optional<std::string>, merge, std::nullopt,
    "Files that --partial wrote, instead of --bundle and --rows. Several: repeat, or separate "
    "by ','.");
ABSL_FLAG(std::optional<std::string>, conversion, std::nullopt,
          "What convert --report wrote with --precision auto or --keep: --report then says what "
          "each table and layer costs in each type.");
ABSL_FLAG(std::optional<std::string>, junit, std::nullopt,
          "Writes the verdicts as JUnit's XML, which CI systems show.");
ABSL_FLAG(std::optional<std::string>, markdown, std::nullopt,
          "Writes verdicts and metrics as Markdown.");
ABSL_FLAG(std::optional<uint64_t>, top_k, std::nullopt, "How many candidates to name. Default 10.");
ABSL_FLAG(std::optional<std::string>, output, std::nullopt,
          "The output to rank by, of a model with several. Default: the first, which the model's "
          "spec says (rank_by).");
ABSL_FLAG(bool, reference, false,
          "Score in plain float64 loops over the bundle's own numbers instead of the runtime.");
ABSL_FLAG(bool, json, false, "Print JSON.");
ABSL_FLAG(bool, cost, false, "Predict how long each step takes.");
ABSL_FLAG(
    std::optional<std::string>, device, std::nullopt,
    "Predict it for a core of phones instead, whose kernels were analysed: a53, a55, a76, x1, "
    "m1, or all.");
ABSL_FLAG(std::optional<std::string>, candidates, std::nullopt,
          "Numbers of candidates, separated by ','. Default 1,10,100,500,1000.");
ABSL_FLAG(std::optional<uint64_t>, events, std::nullopt,
          "Events in the history. Default: as many as the bundle keeps.");
ABSL_FLAG(std::optional<double>, seconds, std::nullopt, "How long to measure. Default 20.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Of the requests that are made up. Default 1.");
ABSL_FLAG(std::optional<std::string>, format, std::nullopt, "table (default) or json.");
ABSL_FLAG(std::optional<double>, gate, std::nullopt,
          "How much slower than at full speed the machine may be, before and after a sample that "
          "counts. Default 0.05.");
ABSL_FLAG(std::optional<std::string>, simd, std::nullopt,
          "The instruction set that kernels are held to (avx2, say): one that this machine has. "
          "Default: the best.");
ABSL_FLAG(
    std::optional<std::string>, instruction_sets, std::nullopt,
    "What to measure on, the worst of which counts: all of this machine, own (the best), or names: "
    "avx2,sse4. Default: all; of evaluate without --require: own.");
ABSL_FLAG(std::optional<double>, f32_gflops, std::nullopt,
          "Float32 peak of one thread, GFLOP/s. Default: measured here.");
ABSL_FLAG(std::optional<double>, int8_gops, std::nullopt,
          "8-bit peak of one thread, GOP/s. Default: measured here.");
ABSL_FLAG(std::optional<double>, read_gigabytes, std::nullopt,
          "Gigabytes a second that one thread reads in order. Default: measured here.");
ABSL_FLAG(std::optional<double>, random_megarows, std::nullopt,
          "Millions of random rows of 64 bytes a second that one thread reads. Default: measured "
          "here.");
ABSL_FLAG(std::optional<std::string>, vectors, std::nullopt,
          "Item vectors: word2vec text (.txt, .vec, .w2v) or binary (.bin), or weights of any form "
          "that --weights takes.");
ABSL_FLAG(std::optional<std::string>, vectors_format, std::nullopt,
          "word2vec-text, word2vec-binary, npz, safetensors, pt, h5 or tensorflow. Default: by the "
          "file's bytes and its extension.");
ABSL_FLAG(std::optional<std::string>, vectors_tensor, std::nullopt,
          "The tensor of an archive that has the vectors. Default: vectors, or the only matrix.");
ABSL_FLAG(std::optional<std::string>, ids_tensor, std::nullopt,
          "The tensor of an archive that has the ids. Default: ids.");
ABSL_FLAG(std::optional<std::string>, ids, std::nullopt,
          "A text file of ids, one a line, for an archive without a tensor of them.");
ABSL_FLAG(std::optional<std::string>, id_type, std::nullopt,
          "integer or string. Default: integer when all ids are.");
ABSL_FLAG(std::optional<std::string>, table, std::nullopt,
          "An embedding table of --bundle that has the vectors.");
ABSL_FLAG(std::optional<std::string>, feature, std::nullopt,
          "The candidate feature whose vocabulary leads to rows of --table. Default: the catalog's "
          "key.");
ABSL_FLAG(std::optional<std::string>, metric, std::nullopt,
          "cosine (default), inner-product or euclidean; of --towers: the model's own.");
ABSL_FLAG(
    std::optional<std::string>, family, std::nullopt,
    "cells, plane, or hash tables: cross-polytope, hyperplane or e2lsh; even where an exact scan "
    "is faster. Default: what is fastest.");
ABSL_FLAG(
    std::optional<std::string>, rows, std::nullopt,
    "evaluate: requests with labels (several files: repeat, or separate by ','; - is standard "
    "input). recall-index: int8 or f32; default: int8, or f32 where the target needs and the "
    "bytes allow it.");
ABSL_FLAG(std::optional<std::string>, rows_format, std::nullopt,
          "jsonl, csv or npz. Default: by the file's name, jsonl from standard input.");
ABSL_FLAG(std::optional<std::string>, header, std::nullopt,
          "What the columns of CSV or the arrays of .npz are, JSON: {\"columns\": {\"clicked\": "
          "\"labels\", \"uid\": \"context.user_id\", \"comment\": null}}.");
ABSL_FLAG(std::optional<double>, recall, std::nullopt,
          "Share of the best k that the index has to find. Default 0.95.");
ABSL_FLAG(
    std::optional<double>, bytes_per_item, std::nullopt,
    "The most that index and vectors together may take, ids not counted. Default: 100, or half "
    "more than the vectors where those are longer, and 4096 for all items together.");
ABSL_FLAG(std::optional<uint64_t>, k, std::nullopt,
          "How many items. Default 100; recall and evaluate: 10.");
ABSL_FLAG(
    std::optional<uint64_t>, held_out, std::nullopt,
    "Without --queries: at most this many items ask, and do not find themselves. Default 400.");
ABSL_FLAG(std::optional<std::string>, queries, std::nullopt,
          "Vectors to measure with, as --vectors by their extension.");
ABSL_FLAG(std::optional<std::string>, history_feature, std::nullopt,
          "The history feature that is an event's item. Default: that of the candidates' name.");
ABSL_FLAG(std::optional<std::string>, candidate_feature, std::nullopt,
          "The candidate feature that is an item's id. Default: the catalog's key.");
ABSL_FLAG(std::optional<std::string>, user_value, std::nullopt,
          "The model's own vector of the user: the name of a value of the context ('handpick "
          "inspect' lists its steps), in the space of the item vectors. Default: none.");
ABSL_FLAG(std::optional<std::string>, item_value, std::nullopt,
          "The model's own vector of an item: the name of a value of the candidate that depends on "
          "nothing else. It is computed for every item of the bundle's catalog.");
ABSL_FLAG(
    bool, towers, false,
    "Of a model of two towers: --item-value item_vector --user-value user_vector, and its own "
    "metric.");
ABSL_FLAG(
    std::optional<std::string>, eges, std::nullopt,
    "Which tensors of --weights are the embeddings of items and of their side information, JSON.");
ABSL_FLAG(bool, new_items_alone, false,
          "Vectors of the new items alone: what an app adds to an overlay.");
ABSL_FLAG(std::optional<uint32_t>, max_history, std::nullopt,
          "Events that a session keeps, of a bundle of an index alone. Default 50.");
ABSL_FLAG(std::optional<std::string>, name, std::nullopt,
          "Name of a bundle of an index alone. Default: recall.");
ABSL_FLAG(std::optional<std::string>, plot, std::nullopt,
          "Writes recall against queries a second as SVG.");
ABSL_FLAG(std::optional<std::string>, user, std::nullopt,
          "The user's vector: mean (default), recent, interests; recommend: or model.");
ABSL_FLAG(std::optional<double>, half_life, std::nullopt,
          "Of --user recent: events after which one counts half. Default 10.");
ABSL_FLAG(std::optional<uint32_t>, interests, std::nullopt,
          "Of --user interests: how many. Default 3.");
ABSL_FLAG(std::optional<std::string>, item, std::nullopt, "The id of an item: what is similar?");
ABSL_FLAG(std::optional<std::string>, history, std::nullopt,
          "Ids of a user's items, oldest first, separated by ','.");
ABSL_FLAG(std::optional<uint32_t>, probes, std::nullopt,
          "Buckets of each table to look into. Default: as many as the index says.");
ABSL_FLAG(std::optional<uint32_t>, max_probes, std::nullopt,
          "The most probes to measure. Default: all buckets of a table.");
ABSL_FLAG(bool, exact, false, "Compare with all items.");
ABSL_FLAG(bool, quiet, false, "No progress and no notes on stderr: errors alone.");
