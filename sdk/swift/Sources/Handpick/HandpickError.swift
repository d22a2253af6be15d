import HandpickC

/// What a call came to. Values are fixed for ever; new ones may be added.
public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let ok = Status(rawValue: 0)
  public static let invalidArgument = Status(rawValue: 0x10)
  public static let unknownFeature = Status(rawValue: 0x11)
  public static let wrongType = Status(rawValue: 0x12)
  public static let missingFeature = Status(rawValue: 0x13)
  public static let duplicateFeature = Status(rawValue: 0x14)
  public static let unknownId = Status(rawValue: 0x15)
  public static let notFinite = Status(rawValue: 0x16)
  public static let tooManyValues = Status(rawValue: 0x17)
  public static let unknownItem = Status(rawValue: 0x18)
  public static let contextNotSet = Status(rawValue: 0x19)
  public static let duplicateItem = Status(rawValue: 0x1A)
  public static let unknownOutput = Status(rawValue: 0x1B)
  public static let outOfMemory = Status(rawValue: 0x20)
  public static let memoryTooSmall = Status(rawValue: 0x21)
  public static let misaligned = Status(rawValue: 0x22)
  public static let overlayFull = Status(rawValue: 0x23)
  public static let fileError = Status(rawValue: 0x30)
  public static let notABundle = Status(rawValue: 0x31)
  public static let bundleTooNew = Status(rawValue: 0x32)
  public static let bundleCorrupt = Status(rawValue: 0x33)
  public static let goldenMismatch = Status(rawValue: 0x34)
  public static let bundleTooOld = Status(rawValue: 0x35)
  public static let notADelta = Status(rawValue: 0x36)
  public static let wrongOldBundle = Status(rawValue: 0x37)
  public static let noBundle = Status(rawValue: 0x38)
  public static let storeCorrupt = Status(rawValue: 0x39)
  public static let wrongSignature = Status(rawValue: 0x3A)
  public static let unsupported = Status(rawValue: 0x40)
  public static let noModel = Status(rawValue: 0x41)
  public static let noRecall = Status(rawValue: 0x42)
  public static let noHashes = Status(rawValue: 0x43)
  public static let noGoldens = Status(rawValue: 0x44)
  public static let noSignature = Status(rawValue: 0x45)
  public static let internalError = Status(rawValue: 0x50)

  /// "unknown feature", say.
  public var description: String { String(cString: hp_status_text(hp_status(rawValue))) }
}

/// What went wrong. `message` names the thing, its value and what was expected.
public struct HandpickError: Error, Hashable, Sendable, CustomStringConvertible {
  public let status: Status
  public let message: String

  public init(status: Status, message: String) {
    self.status = status
    self.message = message
  }

  public var description: String { message.isEmpty ? status.description : "\(status): \(message)" }
}

extension HandpickError {
  init(_ status: hp_status, _ error: hp_error) {
    let message = withUnsafeBytes(of: error.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    self.init(status: Status(rawValue: UInt32(status.rawValue)), message: message)
  }

  /// Throws what `call` says into its `hp_error`.
  static func check(_ call: (inout hp_error) -> hp_status) throws {
    var error = hp_error()
    let status = call(&error)
    if status != HP_OK { throw HandpickError(status, error) }
  }
}

/// sizeof, as the structs of the C library that may grow begin with.
func sizeOf<T>(_: T.Type) -> UInt32 { UInt32(MemoryLayout<T>.stride) }
