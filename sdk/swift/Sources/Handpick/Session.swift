import Dispatch
import HandpickC

/// A candidate among those that were ranked.
public struct Ranked: Hashable, Sendable {
  /// Its row.
  public let index: Int
  public let score: Float
  public let logit: Float
}

public struct SessionOptions: Sendable {
  /// Candidates that go through the model together; 0: the bundle's. Fewer take less memory, with the same bits.
  public var tile = 0
  /// Tiles scored at the same time, on the system's threads. More memory, the same bits.
  public var workers = 1
  /// Largest `k` of a recall; 0: 256.
  public var recallK = 0
  /// Most interests of a recall; 0: 8.
  public var recallInterests = 0

  public init(tile: Int = 0, workers: Int = 1, recallK: Int = 0, recallInterests: Int = 0) {
    self.tile = tile
    self.workers = workers
    self.recallK = recallK
    self.recallInterests = recallInterests
  }
}

/// One user's context and history, and what scoring needs.
///
/// Used by one thread at a time, and therefore not Sendable: `Recommender` is one that tasks can share. Sessions of one model
/// are independent. All memory is taken when it is made.
public final class Session {
  /// Lives at least as long.
  public let model: Model
  let handle: OpaquePointer

  public init(_ model: Model, options: SessionOptions = SessionOptions()) throws {
    var raw = hp_session_options()
    raw.struct_size = sizeOf(hp_session_options.self)
    raw.tile = UInt32(options.tile)
    raw.workers = UInt32(options.workers)
    raw.recall_k = UInt32(options.recallK)
    raw.recall_interests = UInt32(options.recallInterests)
    if options.workers > 1 {
      raw.parallel_for = { _, count, task, opaque in
        let work = Work(task: task!, opaque: opaque)
        DispatchQueue.concurrentPerform(iterations: Int(count)) { work.run(UInt32($0)) }
      }
    }
    var made: OpaquePointer?
    try HandpickError.check { hp_session_new(model.handle, &raw, &made, &$0) }
    self.model = model
    handle = made!
  }

  deinit { hp_session_free(handle) }

  // MARK: The user

  /// Sets the whole context. Features that are left out take their defaults.
  public func setContext(_ context: Row) throws {
    try withRows([context]) { hp_session_set_context(handle, &$0) }
  }

  /// The same by name: `["mean_rating": 3.8, "favourite_genre": "Action"]`.
  public func setContext(_ named: [String: Value]) throws {
    try setContext(Row(model, .context, named))
  }

  /// Appends an event. When the history is full, the oldest one makes place.
  public func append(_ event: Row) throws { try append([event]) }

  /// The same by name: `["movie_id": 1193]`.
  public func append(_ named: [String: Value]) throws { try append(Row(model, .history, named)) }

  /// Appends events, oldest first.
  public func append(_ events: [Row]) throws {
    guard !events.isEmpty else { return }
    try withRows(events) { hp_session_append_events(handle, &$0) }
  }

  /// Appends events, oldest first, given feature by feature.
  public func append(_ events: [Column]) throws {
    try withColumns(events) { hp_session_append_events(handle, &$0) }
  }

  /// Replaces the history: of a model with several, the one of these features.
  public func setHistory(_ events: [Column]) throws {
    try withColumns(events) { hp_session_set_history(handle, &$0) }
  }

  /// Empties the history.
  public func clearHistory() throws {
    try withColumns([]) { hp_session_set_history(handle, &$0) }
  }

  // MARK: Candidates

  /// The best `top` candidates, best first; equal ones in the order of their rows.
  /// - Parameter output: To rank by, of a model with several. Nil: the first.
  public func rank(_ candidates: [Column], top: Int, by output: Output? = nil) throws -> [Ranked] {
    var options = hp_rank_options()
    options.struct_size = sizeOf(hp_rank_options.self)
    options.output = output?.number ?? 0
    let rows = candidates.first?.rows ?? 0
    var best = [hp_ranked](repeating: hp_ranked(), count: max(0, min(top, rows)))
    var count = 0
    try best.withUnsafeMutableBufferPointer { best in
      guard let into = best.baseAddress else { return }
      try withColumns(candidates) {
        hp_session_rank_by(handle, &$0, &options, best.count, into, &count)
      }
    }
    return best[..<count].map { Ranked(index: Int($0.index), score: $0.score, logit: $0.logit) }
  }

  /// The same of candidates given row by row.
  public func rank(_ candidates: [Row], top: Int, by output: Output? = nil) throws -> [Ranked] {
    try rank(Column.columns(candidates), top: top, by: output)
  }

  /// Every candidate's score.
  public func score(_ candidates: [Column]) throws -> [Float] {
    var scores = [Float](repeating: 0, count: candidates.first?.rows ?? 0)
    try score(candidates, into: &scores)
    return scores
  }

  /// The same into memory of the caller's, which has room for all rows: allocates nothing that grows with them.
  public func score(_ candidates: [Column], into scores: inout [Float]) throws {
    let rows = candidates.first?.rows ?? 0
    guard scores.count >= rows else {
      throw HandpickError(
        status: .invalidArgument, message: "there is room for \(scores.count) scores of \(rows)")
    }
    try scores.withUnsafeMutableBufferPointer { scores in
      try withColumns(candidates) { hp_session_score(handle, &$0, scores.baseAddress, nil) }
    }
  }

  /// Every candidate's score by each of the outputs: `result[row][i]` is that of `outputs[i]`.
  public func score(_ candidates: [Column], by outputs: [Output]) throws -> [[Float]] {
    let rows = candidates.first?.rows ?? 0
    let numbers = outputs.map { $0.number }
    var scores = [Float](repeating: 0, count: rows * outputs.count)
    try scores.withUnsafeMutableBufferPointer { scores in
      try withColumns(candidates) {
        hp_session_score_outputs(handle, &$0, numbers, numbers.count, scores.baseAddress, nil)
      }
    }
    return (0..<rows).map { Array(scores[$0 * outputs.count..<($0 + 1) * outputs.count]) }
  }

  // MARK: Check

  /// Replays the golden requests in the bundle: proves that this device computes what the trainer did. Replaces the context and
  /// empties the history. At first start, say.
  /// - Returns: The largest error of a logit, relative to max(1, |logit|).
  @discardableResult
  public func checkGoldens() throws -> Float {
    var worst: Float = 0
    try check(hp_session_check_goldens(handle, &worst))
    return worst
  }

  // MARK: Inside

  func check(_ status: hp_status) throws {
    if status != HP_OK { throw HandpickError(status, hp_session_last_error(handle).pointee) }
  }

  private func withRows(_ rows: [Row], _ call: (inout hp_batch) -> hp_status) throws {
    try check(Column.withBatch(Column.columns(rows), rows: rows.count, call))
  }

  private func withColumns(_ columns: [Column], _ call: (inout hp_batch) -> hp_status) throws {
    let rows = columns.first?.rows ?? 0
    for column in columns {
      let feature = column.feature
      guard column.rows == rows else {
        throw HandpickError(
          status: .invalidArgument,
          message: "\(feature.side) feature '\(feature.name)' has \(column.rows) rows, "
            + "'\(columns[0].feature.name)' has \(rows)")
      }
      if case .numbers(let values) = column.storage, values.count != rows * max(1, feature.dimension) {
        throw HandpickError(
          status: .invalidArgument,
          message: "\(feature.side) feature '\(feature.name)' has \(values.count) numbers, "
            + "expected a multiple of \(feature.dimension)")
      }
      if let last = column.splits.last, case .integers(let values) = column.storage, last > values.count {
        throw HandpickError(
          status: .invalidArgument,
          message: "\(feature.side) feature '\(feature.name)' has \(values.count) values, its splits end at \(last)")
      }
    }
    try check(Column.withBatch(columns, rows: rows, call))
  }
}

/// A part of a call that runs on several threads. The library says that any thread may.
private struct Work: @unchecked Sendable {
  let task: @convention(c) (UnsafeMutableRawPointer?, UInt32) -> Void
  let opaque: UnsafeMutableRawPointer?

  func run(_ number: UInt32) { task(opaque, number) }
}
