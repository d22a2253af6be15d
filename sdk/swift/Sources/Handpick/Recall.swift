import HandpickC

/// An item's id: an integer or a string, as the recall index has it.
public enum ItemID: Hashable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  case integer(Int64)
  case string(String)

  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .string(value) }

  public var integer: Int64? {
    if case .integer(let value) = self { return value }
    return nil
  }

  public var description: String {
    switch self {
    case .integer(let value): return String(value)
    case .string(let value): return value
    }
  }
}

/// An item that was recalled and ranked.
public struct Recommended: Hashable, Sendable {
  public let id: ItemID
  public let score: Float
  public let logit: Float
  /// By the index's metric.
  public let recallScore: Float
}

/// An item that was recalled.
public struct Recalled: Hashable, Sendable {
  public let id: ItemID
  /// By the index's metric.
  public let score: Float
}

/// A condition on a column of the bundle's catalog.
public enum Filter: Sendable {
  case anyOf(Feature, [ItemID])
  case noneOf(Feature, [ItemID])
  /// Of number `element` of a numeric feature.
  case range(Feature, ClosedRange<Float>, element: Int = 0)
}

public struct RecallOptions {
  /// What the user's vector is made of.
  public enum User: Sendable {
    /// The mean of the vectors of the history's items.
    case mean
    /// The same, an event of age `a` weighing `2^(-a / halfLife)`.
    case recent(halfLife: Float)
    /// Several vectors, each of which searches.
    case interests(Int)
    case vector([Float])
    /// What the model makes of context and history.
    case model
  }

  public var user: User
  /// Items to recall, of which the best are ranked: at most the session's `recallK`.
  public var k: Int
  /// All item vectors are compared.
  public var exact = false
  /// Items of the history are not left out.
  public var keepSeen = false
  /// All have to hold.
  public var filters: [Filter] = []
  /// Items to leave out.
  public var excluded: [ItemID] = []
  /// False leaves an item out. Asked about items that would be among the best alone. Must not use the session.
  public var accepts: ((ItemID) -> Bool)?
  /// Items that came after the bundle.
  public var overlay: Overlay?
  /// To rank by, of a model with several outputs. Nil: the first.
  public var rankBy: Output?

  public init(user: User = .recent(halfLife: 10), k: Int = 200) {
    self.user = user
    self.k = k
  }
}

/// Why a recall found what it found.
public struct RecallReport: Hashable, Sendable {
  public enum Outcome: UInt32, Sendable {
    case notDone = 0
    case found = 1
    /// No event of the history names an item that has a vector.
    case noEvents = 2
    /// The user's vector is zero, and the metric needs a direction.
    case noDirection = 3
    /// No item, after all that was left out.
    case noneLeft = 4
  }

  public let outcome: Outcome
  /// Whose items have a vector.
  public let events: Int
  public let rowsScanned: Int
}

extension Session {
  /// Recalls `options.k` items for the user, ranks them, and returns the best `top`, best first.
  ///
  /// May return none: `recallReport` says why. Show what is popular then.
  public func recommend(_ top: Int, _ options: RecallOptions = RecallOptions()) throws -> [Recommended] {
    var items = [hp_recommended](repeating: hp_recommended(), count: max(0, min(top, options.k)))
    var count = 0
    try items.withUnsafeMutableBufferPointer { items in
      guard let into = items.baseAddress else { return }
      try withRaw(options) { try check(hp_session_recommend(handle, &$0, items.count, into, &count)) }
    }
    return items[..<count].map {
      Recommended(id: id($0.id), score: $0.score, logit: $0.logit, recallScore: $0.recall_score)
    }
  }

  /// Recalls the best `options.k` items for the user, best first.
  public func recall(_ options: RecallOptions = RecallOptions()) throws -> [Recalled] {
    var items = [hp_recalled](repeating: hp_recalled(), count: max(0, options.k))
    var count = 0
    try items.withUnsafeMutableBufferPointer { items in
      guard let into = items.baseAddress else { return }
      try withRaw(options) { try check(hp_session_recall(handle, &$0, into, &count)) }
    }
    return items[..<count].map { Recalled(id: id($0.id), score: $0.score) }
  }

  /// Of the last recall.
  public var recallReport: RecallReport {
    var report = hp_recall_report()
    report.struct_size = sizeOf(hp_recall_report.self)
    hp_session_get_recall_report(handle, &report)
    return RecallReport(
      outcome: RecallReport.Outcome(rawValue: UInt32(report.outcome.rawValue)) ?? .notDone,
      events: Int(report.events), rowsScanned: Int(report.rows_scanned))
  }

  private func id(_ raw: hp_item_id) -> ItemID { ItemID(raw, string: model.idsAreStrings) }

  private func withRaw<R>(_ options: RecallOptions, _ call: (inout hp_recall_options) throws -> R) throws -> R {
    let arena = Arena()
    var raw = hp_recall_options()
    raw.struct_size = sizeOf(hp_recall_options.self)
    raw.filter_size = sizeOf(hp_filter.self)
    raw.k = options.k
    raw.exact = options.exact ? 1 : 0
    raw.keep_seen = options.keepSeen ? 1 : 0
    raw.rank_output = Int(options.rankBy?.number ?? 0)
    switch options.user {
    case .mean: raw.user = HP_USER_MEAN
    case .recent(let halfLife):
      raw.user = HP_USER_RECENT
      raw.half_life = halfLife
    case .interests(let count):
      raw.user = HP_USER_INTERESTS
      raw.interests = UInt32(max(0, count))
    case .vector(let vector):
      raw.user = HP_USER_VECTOR
      raw.vector = arena.copy(vector)
      raw.vector_size = vector.count
    case .model: raw.user = HP_USER_MODEL
    }
    raw.filters = arena.copy(options.filters.map { $0.raw(arena) })
    raw.filter_count = options.filters.count
    let excluded = ItemID.lists(options.excluded, arena)
    raw.excluded_integers = excluded.integers
    raw.excluded_strings = excluded.strings
    raw.excluded_count = options.excluded.count
    raw.overlay = options.overlay?.handle
    let asked = options.accepts.map { Asked(accepts: $0, strings: model.idsAreStrings) }
    if let asked {
      raw.accepts_opaque = Unmanaged.passUnretained(asked).toOpaque()
      raw.accepts = { opaque, _, id in
        let asked = Unmanaged<Asked>.fromOpaque(opaque!).takeUnretainedValue()
        return asked.accepts(ItemID(id!.pointee, string: asked.strings)) ? 1 : 0
      }
    }
    return try withExtendedLifetime((arena, asked, options.overlay)) { try call(&raw) }
  }
}

private final class Asked {
  let accepts: (ItemID) -> Bool
  let strings: Bool

  init(accepts: @escaping (ItemID) -> Bool, strings: Bool) {
    self.accepts = accepts
    self.strings = strings
  }
}

extension ItemID {
  init(_ raw: hp_item_id, string: Bool) {
    if string {
      let bytes = UnsafeRawBufferPointer(start: raw.string.data, count: raw.string.size)
      self = .string(String(decoding: bytes, as: UTF8.self))
    } else {
      self = .integer(raw.integer)
    }
  }

  func raw(_ arena: Arena) -> hp_item_id {
    var raw = hp_item_id()
    switch self {
    case .integer(let value): raw.integer = value
    case .string(let value): raw.string = arena.string(value)
    }
    return raw
  }

  /// All as strings when one is, which an index of integers refuses.
  static func lists(_ ids: [ItemID], _ arena: Arena)
    -> (integers: UnsafePointer<Int64>?, strings: UnsafePointer<hp_string>?)
  {
    let integers = ids.compactMap { $0.integer }
    return integers.count == ids.count
      ? (arena.copy(integers), nil) : (nil, arena.strings(ids.map { $0.description }))
  }
}

extension Filter {
  func raw(_ arena: Arena) -> hp_filter {
    var raw = hp_filter()
    func set(_ kind: hp_filter_kind, _ feature: Feature, _ ids: [ItemID]) {
      raw.kind = kind
      raw.feature = feature.number
      let lists = ItemID.lists(ids, arena)
      raw.type = lists.strings != nil ? HP_STRING : HP_INT64
      raw.integers = lists.integers
      raw.strings = lists.strings
      raw.count = ids.count
    }
    switch self {
    case .anyOf(let feature, let ids): set(HP_FILTER_ANY_OF, feature, ids)
    case .noneOf(let feature, let ids): set(HP_FILTER_NONE_OF, feature, ids)
    case .range(let feature, let range, let element):
      raw.kind = HP_FILTER_RANGE
      raw.type = HP_INT64
      raw.feature = feature.number
      raw.element = UInt32(element)
      raw.low = range.lowerBound
      raw.high = range.upperBound
    }
    return raw
  }
}

/// Items that came after the bundle, and items of it that are not to be shown. Changed while no session recalls with it.
public final class Overlay {
  public let model: Model
  private let memory: UnsafeMutableRawPointer
  let handle: OpaquePointer

  /// Room for `maxItems` items, and for hiding as many.
  public init(_ model: Model, maxItems: Int) throws {
    var bytes = 0
    try HandpickError.check {
      hp_recall_overlay_memory_size(model.handle, UInt32(maxItems), &bytes, &$0)
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Int(HP_ALIGNMENT))
    var made: OpaquePointer?
    do {
      try HandpickError.check {
        hp_recall_overlay_create(model.handle, UInt32(maxItems), memory, bytes, &made, &$0)
      }
    } catch {
      memory.deallocate()
      throw error
    }
    self.model = model
    self.memory = memory
    handle = made!
  }

  deinit { memory.deallocate() }

  /// Adds an item, with a vector in the space of the index's.
  public func add(_ id: ItemID, vector: [Float]) throws {
    try change(id) { hp_recall_overlay_add(handle, &$0, vector, vector.count, &$1) }
  }

  /// Takes away an item that was added.
  public func remove(_ id: ItemID) throws { try change(id) { hp_recall_overlay_remove(handle, &$0, &$1) } }

  /// Hides an item of the bundle.
  public func hide(_ id: ItemID) throws { try change(id) { hp_recall_overlay_hide(handle, &$0, &$1) } }

  /// Shows it again.
  public func show(_ id: ItemID) throws { try change(id) { hp_recall_overlay_show(handle, &$0, &$1) } }

  private func change(_ id: ItemID, _ call: (inout hp_item_id, inout hp_error) -> hp_status) throws {
    let arena = Arena()
    var raw = id.raw(arena)
    try withExtendedLifetime(arena) { try HandpickError.check { call(&raw, &$0) } }
  }
}
