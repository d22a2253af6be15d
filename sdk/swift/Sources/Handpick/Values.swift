import HandpickC

/// The values of one feature for each row of a batch: candidates or events, feature by feature.
///
/// Arrays of integers and numbers are read where they lie. Strings are copied once, when the column is made: keep the column
/// of candidates that are ranked again and again.
public struct Column: Sendable {
  enum Storage: @unchecked Sendable {
    case integers([Int64])
    case numbers([Float])
    case strings(UnsafePointer<hp_string>?, Arena)
  }

  let feature: Feature
  let storage: Storage
  /// Of a multi-valued feature: row i has values [splits[i], splits[i + 1]).
  let splits: [UInt32]
  /// How many rows it has.
  public let rows: Int
}

extension Feature {
  /// One integer a row.
  public func column(_ values: [Int64]) -> Column {
    Column(feature: self, storage: .integers(values), splits: [], rows: values.count)
  }

  /// One string a row.
  public func column(_ values: [String]) -> Column {
    let arena = Arena()
    return Column(
      feature: self, storage: .strings(arena.strings(values), arena), splits: [], rows: values.count)
  }

  /// `dimension` numbers a row, row after row.
  @_disfavoredOverload // `[1, 2]` are integers.
  public func column(_ values: [Float]) -> Column {
    Column(
      feature: self, storage: .numbers(values), splits: [], rows: values.count / max(1, dimension))
  }

  /// Any number of integers a row: row `i` has `values[splits[i]..<splits[i + 1]]`.
  public func column(_ values: [Int64], splits: [UInt32]) -> Column {
    Column(feature: self, storage: .integers(values), splits: splits, rows: splits.count - 1)
  }

  public func column(_ values: [[Int64]]) -> Column {
    column(values.flatMap { $0 }, splits: splits(of: values))
  }

  public func column(_ values: [[String]]) -> Column {
    let arena = Arena()
    return Column(
      feature: self, storage: .strings(arena.strings(values.flatMap { $0 }), arena),
      splits: splits(of: values), rows: values.count)
  }

  private func splits<T>(of rows: [[T]]) -> [UInt32] {
    var splits: [UInt32] = [0]
    splits.reserveCapacity(rows.count + 1)
    for row in rows { splits.append(splits.last! + UInt32(row.count)) }
    return splits
  }
}

/// What a feature of a row is set to. Literals will do: `3`, `0.5`, `"Action"`, `[0.1, 0.2]`, `["a", "b"]`.
public enum Value: Hashable, Sendable {
  case integers([Int64])
  case numbers([Float])
  case strings([String])

  public static func integer(_ value: Int64) -> Value { .integers([value]) }
  public static func number(_ value: Float) -> Value { .numbers([value]) }
  public static func string(_ value: String) -> Value { .strings([value]) }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral
{
  public init(integerLiteral value: Int64) { self = .integers([value]) }
  public init(floatLiteral value: Double) { self = .numbers([Float(value)]) }
  public init(stringLiteral value: String) { self = .strings([value]) }

  /// Integers among numbers are numbers too. Strings do not mix with them: then the strings alone are kept.
  public init(arrayLiteral elements: Value...) {
    var integers: [Int64] = []
    var numbers: [Float] = []
    var strings: [String] = []
    var all = true
    for element in elements {
      switch element {
      case .integers(let values):
        integers += values
        numbers += values.map { Float($0) }
      case .numbers(let values):
        numbers += values
        all = false
      case .strings(let values): strings += values
      }
    }
    if !strings.isEmpty {
      self = .strings(strings)
    } else {
      self = all ? .integers(integers) : .numbers(numbers)
    }
  }
}

/// One context, event or candidate, set feature by feature.
///
///     var row = Row()
///     try row.set(movie, .integer(1193))
///     try session.append(row)
public struct Row: Sendable {
  private(set) var values: [(feature: Feature, value: Value)] = []

  public init() {}

  /// Features by name: `try Row(model, .context, ["mean_rating": 3.8, "favourite_genre": "Action"])`.
  public init(_ model: Model, _ side: Side, _ named: [String: Value]) throws {
    for name in named.keys.sorted() { try set(model.feature(side, name), named[name]!) }
  }

  /// Sets a feature, in place of what it was set to before. Integers serve where a feature takes numbers alone.
  public mutating func set(_ feature: Feature, _ value: Value) throws {
    let fitting: Value
    switch value {
    case .integers(let integers)
    where !feature.valueTypes.contains(.integers) && feature.valueTypes.contains(.numbers):
      fitting = .numbers(integers.map { Float($0) })
    default: fitting = value
    }
    guard feature.valueTypes.contains(fitting.type) else {
      throw HandpickError(
        status: .wrongType,
        message: "\(feature.side) feature '\(feature.name)' takes \(feature.valueTypes), not \(fitting.type)")
    }
    if feature.kind != .multiCategorical {
      let wanted = feature.kind == .numeric ? feature.dimension : 1
      guard fitting.count == wanted else {
        throw HandpickError(
          status: .invalidArgument,
          message: "\(feature.side) feature '\(feature.name)' takes \(wanted) values, not \(fitting.count)")
      }
    }
    if let index = values.firstIndex(where: { $0.feature.number == feature.number }) {
      values[index].value = fitting
    } else {
      values.append((feature, fitting))
    }
  }
}

extension ValueTypes: CustomStringConvertible {
  public var description: String {
    var names: [String] = []
    if contains(.integers) { names.append("integers") }
    if contains(.numbers) { names.append("numbers") }
    if contains(.strings) { names.append("strings") }
    return names.isEmpty ? "no values" : names.joined(separator: " or ")
  }
}

extension Value {
  var type: ValueTypes {
    switch self {
    case .integers: return .integers
    case .numbers: return .numbers
    case .strings: return .strings
    }
  }

  var count: Int {
    switch self {
    case .integers(let values): return values.count
    case .numbers(let values): return values.count
    case .strings(let values): return values.count
    }
  }
}

extension Column {
  /// Rows that all set the same features, feature by feature.
  static func columns(_ rows: [Row]) throws -> [Column] {
    guard let first = rows.first else { return [] }
    return try first.values.map { feature, value in
      var integers: [Int64] = []
      var numbers: [Float] = []
      var strings: [String] = []
      var splits: [UInt32] = [0]
      for (number, row) in rows.enumerated() {
        guard row.values.count == first.values.count,
          let set = row.values.first(where: { $0.feature.number == feature.number })
        else {
          throw HandpickError(
            status: .missingFeature,
            message: "row \(number) does not set the features of row 0, as '\(feature.name)'")
        }
        switch (value, set.value) {
        case (.integers, .integers(let more)): integers += more
        case (.numbers, .numbers(let more)): numbers += more
        case (.strings, .strings(let more)): strings += more
        default:
          throw HandpickError(
            status: .wrongType,
            message: "\(feature.side) feature '\(feature.name)' has \(set.value.type) in row \(number), and "
              + "\(value.type) in row 0")
        }
        splits.append(splits.last! + UInt32(set.value.count))
      }
      let arena = Arena()
      let storage: Storage
      switch value {
      case .integers: storage = .integers(integers)
      case .numbers: storage = .numbers(numbers)
      case .strings: storage = .strings(arena.strings(strings), arena)
      }
      return Column(
        feature: feature, storage: storage, splits: feature.kind == .multiCategorical ? splits : [],
        rows: rows.count)
    }
  }

  /// Hands columns to the C library as a batch. They are read where they lie.
  static func withBatch<R>(_ columns: [Column], rows: Int, _ body: (inout hp_batch) throws -> R) rethrows -> R {
    var raw = columns.map { column -> hp_column in
      var raw = hp_column()
      raw.feature = column.feature.number
      return raw
    }
    return try fill(columns[...], &raw, rows: rows, body)
  }

  private static func fill<R>(
    _ left: ArraySlice<Column>, _ raw: inout [hp_column], rows: Int, _ body: (inout hp_batch) throws -> R
  ) rethrows -> R {
    guard let column = left.first else {
      return try raw.withUnsafeBufferPointer { buffer in
        var batch = hp_batch(
          struct_size: sizeOf(hp_batch.self), column_size: sizeOf(hp_column.self), columns: buffer.baseAddress,
          column_count: buffer.count, row_count: rows)
        return try body(&batch)
      }
    }
    let at = left.startIndex
    func next() throws -> R { try fill(left.dropFirst(), &raw, rows: rows, body) }
    func withValues() throws -> R {
      switch column.storage {
      case .integers(let values):
        return try values.withUnsafeBufferPointer {
          raw[at].type = HP_INT64
          raw[at].integers = $0.baseAddress
          return try next()
        }
      case .numbers(let values):
        return try values.withUnsafeBufferPointer {
          raw[at].type = HP_FLOAT32
          raw[at].numbers = $0.baseAddress
          return try next()
        }
      case .strings(let values, let arena):
        return try withExtendedLifetime(arena) {
          raw[at].type = HP_STRING
          raw[at].strings = values
          return try next()
        }
      }
    }
    if column.splits.isEmpty { return try withValues() }
    return try column.splits.withUnsafeBufferPointer {
      raw[at].row_splits = $0.baseAddress
      return try withValues()
    }
  }
}
