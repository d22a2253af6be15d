import HandpickC

/// Who a feature describes.
public enum Side: UInt32, Sendable, CustomStringConvertible {
  case context = 1
  case history = 2
  case candidate = 3

  public var description: String {
    switch self {
    case .context: return "context"
    case .history: return "history"
    case .candidate: return "candidate"
    }
  }
}

/// The types that a feature's values may have.
public struct ValueTypes: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let integers = ValueTypes(rawValue: 1)
  public static let numbers = ValueTypes(rawValue: 2)
  public static let strings = ValueTypes(rawValue: 4)
}

/// A feature of a model: found once by side and name, then used as often as wanted.
public struct Feature: Hashable, Sendable {
  public enum Kind: UInt32, Sendable {
    case unknown = 0
    /// One id a row.
    case categorical = 1
    /// Up to `maxValues` ids a row.
    case multiCategorical = 2
    /// `dimension` numbers a row.
    case numeric = 3
    /// Made from other features; never given.
    case crossed = 4
    /// One integer a row: positions of a multi-valued feature that count.
    case length = 5
  }

  /// The library's number of it.
  public let number: UInt32
  public let side: Side
  public let kind: Kind
  public let name: String
  let types: UInt32
  public let maxValues: Int
  public let dimension: Int
  /// It has a default, or the catalog has it.
  public let isOptional: Bool
  /// Its id names an item of the catalog.
  public let isCatalogKey: Bool
  /// The sequence of events that it belongs to, of a feature of the history.
  public let sequence: String?
  /// Events of that sequence that a session keeps.
  public let maxEvents: Int

  public var valueTypes: ValueTypes { ValueTypes(rawValue: types) }
}

/// What a model says of a candidate: a click, a purchase, ...
public struct Output: Hashable, Sendable {
  public enum Task: UInt32, Sendable {
    case unknown = 0
    /// The score is a probability.
    case binary = 1
    /// The score is the value itself.
    case regression = 2
    case probability = 3
    case logProbability = 4
  }

  public let number: UInt32
  public let name: String
  public let task: Task
}

/// What is in a bundle, and what it takes.
public struct ModelInfo: Sendable {
  public let modelName: String
  public let modelVersion: String
  public let producer: String
  /// False: a recall index alone.
  public let hasModel: Bool
  /// Events that a session keeps, of the longest sequence.
  public let maxHistory: Int
  public let goldenCount: Int
  /// 0: no catalog.
  public let catalogItems: Int
  /// Of the recall index; 0: none.
  public let recallItems: Int
  public let bundleBytes: Int
  /// Of a session with default options.
  public let sessionBytes: Int
  /// Beside the bundle.
  public let modelBytes: Int
  /// Of the bundle, copied into memory: all of it, or 0.
  public let copiedBytes: Int
  /// Of all bytes, as the converter wrote them; equal for equal files. Nil: the bundle has none.
  public let contentHash: UInt64?
  /// Of the key that the bundle says it is signed with, as `handpick sign` shows it; `signedBy` alone proves it. Nil: it is not
  /// signed.
  public let keyId: UInt64?
}

/// A bundle that was opened. Does not change: any number of threads and sessions use one.
///
/// The file is mapped, not read, until the model goes. Never write to it in place meanwhile: write a new file, and rename it
/// over the old one. An app that can't keep to that copies the bundle into memory (`copy`).
public final class Model: @unchecked Sendable {
  let handle: OpaquePointer
  /// Whether the ids of recalled items are strings.
  let idsAreStrings: Bool

  public let info: ModelInfo
  /// In the library's order.
  public let features: [Feature]
  public let outputs: [Output]
  private let byName: [Side: [String: Feature]]

  /// Opens the bundle in the file at `path`: maps it, and verifies it before anything is used. With keys, a bundle that is not
  /// signed with one of them (`handpick sign`) is refused, which takes the time to read all of it.
  public convenience init(path: String, copy: Bool = false, signedBy keys: [PublicKey]? = nil) throws {
    var opened: OpaquePointer?
    try withBytes(of: keys) { bytes, count in
      var options = hp_open_options(copy: copy, publicKeys: bytes, count: count)
      try HandpickError.check { hp_model_open_file(path, &options, &opened, &$0) }
    }
    self.init(handle: opened!)
  }

  /// The same of a part of an open file, which may be closed afterwards. Nil: up to the file's end.
  public convenience init(
    descriptor: Int32, offset: Int64 = 0, length: Int64? = nil, copy: Bool = false, signedBy keys: [PublicKey]? = nil
  ) throws {
    var opened: OpaquePointer?
    try withBytes(of: keys) { bytes, count in
      var options = hp_open_options(copy: copy, publicKeys: bytes, count: count)
      try HandpickError.check { hp_model_open_fd(descriptor, offset, length ?? -1, &options, &opened, &$0) }
    }
    self.init(handle: opened!)
  }

  init(handle: OpaquePointer) {
    self.handle = handle
    var info = hp_model_info()
    info.struct_size = sizeOf(hp_model_info.self)
    hp_model_get_info(handle, &info)
    self.info = ModelInfo(info)
    features = (0..<info.feature_count).map { Feature(handle, $0) }
    outputs = (0..<UInt32(info.output_count)).map { Output(handle, $0) }
    byName = Dictionary(grouping: features) { $0.side }.mapValues { features in
      Dictionary(features.map { ($0.name, $0) }) { first, _ in first }
    }
    var recall = hp_recall_info()
    recall.struct_size = sizeOf(hp_recall_info.self)
    idsAreStrings = hp_model_get_recall_info(handle, &recall) == HP_OK && recall.id_type == HP_STRING
  }

  deinit { hp_model_close(handle) }

  /// The feature of that name. A name may occur once on each side.
  public func feature(_ side: Side, _ name: String) throws -> Feature {
    if let feature = byName[side]?[name] { return feature }
    let there = features.filter { $0.side == side }.map { $0.name }.joined(separator: ", ")
    throw HandpickError(
      status: .unknownFeature,
      message: "the model has no \(side) feature '\(name)'; it has: \(there)")
  }

  /// The output of that name.
  public func output(_ name: String) throws -> Output {
    if let output = outputs.first(where: { $0.name == name }) { return output }
    let there = outputs.map { $0.name }.joined(separator: ", ")
    throw HandpickError(
      status: .unknownOutput,
      message: "the model has no output '\(name)'; it has: \(there)")
  }

  /// Compares the whole file with the hashes in it: after a download, say. Opening does not read the tables.
  public func checkIntegrity() throws {
    try HandpickError.check { hp_model_check(handle, &$0) }
  }
}

extension hp_open_options {
  init(copy: Bool, publicKeys: UnsafePointer<UInt8>?, count: Int) {
    self.init()
    struct_size = sizeOf(hp_open_options.self)
    flags = copy ? HP_OPEN_COPY.rawValue : 0
    public_keys = publicKeys
    public_keys_size = count
  }
}

extension ModelInfo {
  init(_ info: hp_model_info) {
    modelName = String(orEmpty: info.model_name)
    modelVersion = String(orEmpty: info.model_version)
    producer = String(orEmpty: info.producer)
    hasModel = info.has_model != 0
    maxHistory = Int(info.max_history)
    goldenCount = Int(info.golden_count)
    catalogItems = Int(info.catalog_items)
    recallItems = Int(info.recall_items)
    bundleBytes = Int(info.bundle_bytes)
    sessionBytes = Int(info.session_bytes)
    modelBytes = Int(info.model_bytes + info.engine_bytes)
    copiedBytes = Int(info.copied_bytes)
    contentHash = info.content_hash == 0 ? nil : info.content_hash
    keyId = info.key_id == 0 ? nil : info.key_id
  }
}

extension Feature {
  init(_ model: OpaquePointer, _ number: UInt32) {
    var info = hp_feature_info()
    info.struct_size = sizeOf(hp_feature_info.self)
    hp_model_get_feature(model, number, &info)
    self.number = number
    side = Side(rawValue: UInt32(info.side.rawValue)) ?? .context
    kind = Kind(rawValue: UInt32(info.type.rawValue)) ?? .unknown
    name = String(orEmpty: info.name)
    types = info.value_types
    maxValues = Int(info.max_values)
    dimension = Int(info.dimension)
    isOptional = info.optional != 0
    isCatalogKey = info.is_catalog_key != 0
    sequence = info.sequence.map { String(cString: $0) }
    maxEvents = Int(info.max_events)
  }
}

extension Output {
  init(_ model: OpaquePointer, _ number: UInt32) {
    var info = hp_output_info()
    info.struct_size = sizeOf(hp_output_info.self)
    hp_model_get_output(model, number, &info)
    self.number = number
    name = String(orEmpty: info.name)
    task = Task(rawValue: UInt32(info.task.rawValue)) ?? .unknown
  }
}

extension String {
  init(orEmpty text: UnsafePointer<CChar>?) { self = text.map { String(cString: $0) } ?? "" }
}
