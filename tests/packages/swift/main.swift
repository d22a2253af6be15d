// Uses the Swift package as an app does, on the films of examples/quickstart: prints the best ten, an id and a score a line, and
// checks what else there is. main.swift BUNDLE REQUEST SIGNED KEY DELTA: a line of examples/din/model/ranking.jsonl is the request;
// then the bundle signed, the public key's digits, and the delta from the one to the other.
import Foundation
import Handpick

func expect(_ holds: Bool, _ what: String, line: Int = #line) {
  if holds { return }
  FileHandle.standardError.write("main.swift:\(line): \(what)\n".data(using: .utf8)!)
  exit(1)
}

/// The error of a call that has to fail.
func failure(line: Int = #line, _ call: () throws -> Void) -> HandpickError {
  do {
    try call()
  } catch let error as HandpickError {
    return error
  } catch {
    expect(false, "another error: \(error)", line: line)
  }
  expect(false, "no error", line: line)
  exit(1)
}

func value(_ json: Any) -> Value {
  if let text = json as? String { return .string(text) }
  if let list = json as? [Any] { return .numbers(list.map { Float(truncating: $0 as! NSNumber) }) }
  let number = json as! NSNumber
  return number.doubleValue == number.doubleValue.rounded() ? .integer(number.int64Value) : .number(number.floatValue)
}

let path = CommandLine.arguments[1]
let line = try String(contentsOfFile: CommandLine.arguments[2], encoding: .utf8).split(separator: "\n")[0]
let request = try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: [String: Any]]
let context = request["context"]!.mapValues { value($0) }
let films = (request["history"]!["movie_id"] as! [NSNumber]).map { $0.int64Value }
let genres = request["history"]!["genre"] as! [String]

// A session keeps its model.
func makeSession(_ options: SessionOptions = SessionOptions()) throws -> Session {
  let session = try Session(Model(path: path), options: options)
  try session.setContext(context)
  return session
}

let missing = failure { _ = try Model(path: "nothing.hpk") }
expect(missing.status == .fileError && missing.message.contains("nothing.hpk"), "\(missing)")
expect("\(missing)".hasPrefix("file error: "), "\(missing)")

// Copied, and as a part of an open file.
let copied = try Model(path: path, copy: true)
expect(copied.info.copiedBytes == copied.info.bundleBytes, "copied \(copied.info)")
let padded = FileManager.default.temporaryDirectory.appendingPathComponent("padded")
try (Data(count: 4096) + Data(contentsOf: URL(fileURLWithPath: path)) + Data(count: 10)).write(to: padded)
let file = try FileHandle(forReadingFrom: padded)
let part = try Model(descriptor: file.fileDescriptor, offset: 4096, length: Int64(copied.info.bundleBytes))
try file.close()
expect(part.info.copiedBytes == 0 && part.features == copied.features, "a part of a file \(part.info)")

// Checked in parts, and signed.
let signedPath = CommandLine.arguments[3]
let key = try PublicKey(
  String(contentsOfFile: CommandLine.arguments[4], encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines))
let delta = CommandLine.arguments[5]
let otherKey = try PublicKey([UInt8](repeating: 7, count: PublicKey.size))
expect(failure { _ = try PublicKey([1]) }.message.contains("1 bytes, expected 32"), "a short key")
expect(failure { _ = try PublicKey(String(repeating: "x", count: 64)) }.message.contains("64 hexadecimal"), "no digits")
func damagedCopy(_ path: String) throws -> String {
  var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  bytes[bytes.count / 2] ^= 1
  let copy = FileManager.default.temporaryDirectory.appendingPathComponent("damaged")
  try bytes.write(to: copy)
  return copy.path
}
let check = try IntegrityCheck(copied)
var calls = 1
while try !check.next(100_000) { calls += 1 }
expect(calls == (copied.info.bundleBytes + 99_999) / 100_000, "\(calls) calls")
expect(failure { _ = try check.next(-1) }.status == .invalidArgument, "-1 bytes")
let damaged = try IntegrityCheck(Model(path: damagedCopy(path)))
expect(failure { while try !damaged.next(1 << 16) {} }.status == .bundleCorrupt, "a damaged byte")
expect(failure { while try !damaged.next(1 << 16) {} }.status == .bundleCorrupt, "a damaged byte, again")

let signed = try Model(path: signedPath, signedBy: [otherKey, key])
expect(signed.info.keyId != nil && signed.info.contentHash != nil && copied.info.keyId == nil, "\(signed.info)")
let ofSignature = try IntegrityCheck(signed, signedBy: [key])
while try !ofSignature.next(1 << 18) {}
expect(failure { _ = try IntegrityCheck(signed, signedBy: [otherKey]) }.status == .wrongSignature, "another key's check")
expect(failure { _ = try Model(path: signedPath, signedBy: [otherKey]) }.status == .wrongSignature, "another key")
expect(failure { _ = try Model(path: signedPath, signedBy: []) }.status == .invalidArgument, "no key")
expect(failure { _ = try Model(path: path, signedBy: [key]) }.status == .noSignature, "no signature")
let changed = try damagedCopy(signedPath)
expect(failure { _ = try Model(path: changed, copy: true, signedBy: [key]) }.message.contains("not as it was signed"), "changed")
expect(failure { _ = try IntegrityCheck(Model(path: changed), signedBy: [key]).next(0) }.status == .wrongSignature, "changed")

// Updates, and a store over some starts.
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store")
try? FileManager.default.removeItem(at: folder)
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
let download = folder.appendingPathComponent("download").path
let store = Store(folder: folder.path)
expect(try store.start() == nil, "an empty store")
expect(failure { try store.confirm() }.status == .noBundle, "nothing to confirm")
try FileManager.default.copyItem(atPath: path, toPath: download)
expect(failure { try store.install(path: download, signedBy: [key]) }.status == .noSignature, "not signed")
try store.install(path: download)
let first = try store.start()!
expect(first.outcome == .trial && first.previous == nil && first.rejected == nil, "\(first)")
try store.confirm()
expect(try store.start()!.outcome == .confirmed, "confirmed")
var told: [UInt64] = []
try Update.apply(old: first.path, delta: delta, new: download) { done, total in
  expect(total == UInt64(signed.info.bundleBytes), "of all")
  told.append(done)
}
expect(told.last == UInt64(signed.info.bundleBytes), "told \(told)")
expect(FileManager.default.contentsEqual(atPath: download, andPath: signedPath), "the new bundle")
try Update.verify(path: download)
try Update.verify(path: download, signedBy: [key])
expect(failure { try Update.verify(path: download, signedBy: [otherKey]) }.status == .wrongSignature, "another key's bundle")
expect(failure { try Update.apply(old: download, delta: delta, new: download) }.status == .wrongOldBundle, "another bundle")
expect(failure { try Update.apply(old: path, delta: path, new: download) }.status == .notADelta, "no delta")
try store.install(path: download, signedBy: [key])
let second = try store.start()!
expect(second.outcome == .trial && second.previous == first.current && second.path != first.path, "\(second)")
let third = try store.start()!
expect(third.outcome == .fellBack && third.path == first.path && third.rejected == second.current, "\(third)")
try FileManager.default.copyItem(atPath: signedPath, toPath: download)
try store.install(path: download, signedBy: [key])
_ = try store.start()
try store.confirm()
try store.rollback()
expect(try store.start()!.path == first.path, "rolled back")

let session = try makeSession()
let model = session.model
expect(model.info.hasModel && model.info.catalogItems > 1000 && model.info.recallItems > 1000, "\(model.info)")
try model.checkIntegrity()
expect(try makeSession().checkGoldens() < 1e-3, "golden requests")

let movie = try model.feature(.history, "movie_id")
let genre = try model.feature(.history, "genre")
expect(movie.isCatalogKey == false && movie.kind == .categorical && genre.valueTypes == .strings, "\(movie) \(genre)")
let unknown = failure { _ = try model.feature(.candidate, "colour") }
expect(unknown.status == .unknownFeature && unknown.message.contains("movie_id"), "\(unknown)")
expect(failure { _ = try model.output("sale") }.status == .unknownOutput, "an output that is none")

// Values that do not fit are named before anything is called.
var wrong = Row()
let type = failure { try wrong.set(genre, 3) }
expect(type.status == .wrongType && type.message == "history feature 'genre' takes strings, not integers", "\(type)")
let taste = try model.feature(.context, "genre_taste")
let size = failure { try wrong.set(taste, [0.5, 1]) }
expect(size.status == .invalidArgument && size.message.contains("takes 20 values, not 2"), "\(size)")
let infinite = failure { try session.setContext(context.merging(["mean_rating": .number(.infinity)]) { $1 }) }
expect(infinite.status == .notFinite && infinite.message.contains("mean_rating"), "\(infinite)")
let uneven = failure { try session.append([movie.column(films), genre.column(["War"])]) }
expect(uneven.message.contains("'genre' has 1 rows, 'movie_id' has \(films.count)"), "\(uneven)")

// Events row by row and feature by feature are the same.
try session.append(
  (0..<films.count).map { index in
    var row = Row()
    try row.set(movie, .integer(films[index]))
    try row.set(genre, .string(genres[index]))
    return row
  })
let best = try session.recommend(10)
for film in best { print(film.id, String(format: "%.6f", film.score)) }
expect(session.recallReport.outcome == .found && session.recallReport.events > 0, "\(session.recallReport)")
let other = try makeSession(SessionOptions(workers: 2))
try other.append([movie.column(films), genre.column(genres)])
expect(try other.recommend(10) == best, "events in columns, two workers")
for index in 0..<films.count { try other.append(["movie_id": .integer(films[index]), "genre": .string(genres[index])]) }
expect(try other.recommend(10) == best, "events by name")

// Candidates: the features of the catalog are taken from there.
let candidate = try model.feature(.candidate, "movie_id")
let ids = best.map { $0.id.integer! }
let candidates = [candidate.column(Array(ids.reversed()))]
let ranked = try session.rank(candidates, top: 3)
expect(ranked.map { ids[9 - $0.index] } == Array(ids[..<3]), "ranked \(ranked)")
expect(ranked.map { $0.score } == best[..<3].map { $0.score }, "their scores")
let scores = try session.score(candidates)
expect(scores == best.reversed().map { $0.score }, "all scores")
var into = [Float](repeating: -1, count: 11)
try session.score(candidates, into: &into)
expect(into == scores + [-1], "scores into memory")
expect(failure { into = [0]; try session.score(candidates, into: &into) }.message.contains("1 scores of 10"), "too little")
expect(try session.score(candidates, by: model.outputs) == scores.map { [$0] }, "scores by output")
expect(try session.rank([Row](), top: 3).isEmpty, "no candidate")
let rows = try ids.map { try Row(model, .candidate, ["movie_id": .integer($0)]) }
expect(try session.rank(rows, top: 10, by: model.outputs[0]).map { $0.index } == Array(0..<10), "rows")
let nobody = failure { _ = try session.rank([candidate.column([-5])], top: 1) }
expect(nobody.status == .unknownItem, "\(nobody)")

// What is left out.
var options = RecallOptions()
options.excluded = [best[0].id]
expect(try session.recommend(10, options).contains { $0.id == best[0].id } == false, "excluded")
options = RecallOptions()
options.accepts = { $0 != best[1].id }
let accepted = try session.recommend(10, options).map { $0.id }
expect(!accepted.contains(best[1].id) && accepted.contains(best[0].id), "accepts")
options = RecallOptions()
options.filters = [.range(try model.feature(.candidate, "year"), 1990...1999)]
let nineties = try session.recommend(10, options)
options.filters = [.anyOf(try model.feature(.candidate, "genre"), ["War"])]
let wars = try session.recommend(10, options)
expect(!nineties.isEmpty && nineties != best && !wars.isEmpty && wars != nineties, "filters")
let overlay = try Overlay(model, maxItems: 4)
try overlay.hide(best[0].id)
options = RecallOptions()
options.overlay = overlay
expect(try session.recommend(10, options).map { $0.id }.contains(best[0].id) == false, "hidden")
try overlay.show(best[0].id)
expect(try session.recommend(10, options) == best, "shown")
expect(failure { try overlay.remove(7) }.status == .unknownItem, "an overlay's error")
expect(try session.recall(RecallOptions(user: .interests(3), k: 50)).count == 50, "recall")
expect(failure { _ = try session.recall(RecallOptions(user: .vector([1]), k: 5)) }.status == .invalidArgument, "a vector")

try session.clearHistory()
expect(try session.recommend(10).isEmpty && session.recallReport.outcome == .noEvents, "an empty history")

// Tasks share a recommender.
let recommender = try Recommender(model)
try await recommender.setContext(context)
try await recommender.run { session in try session.append([movie.column(films), genre.column(genres)]) }
let lists = try await withThrowingTaskGroup(of: [Recommended].self) { group in
  for _ in 0..<8 { group.addTask { try await recommender.recommend(10) } }
  var lists: [[Recommended]] = []
  for try await list in group { lists.append(list) }
  return lists
}
expect(lists.count == 8 && lists.allSatisfy { $0 == best }, "tasks")
