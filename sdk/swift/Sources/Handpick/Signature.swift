import HandpickC

/// A key whose bundles an app takes, of Ed25519.
public struct PublicKey: Hashable, Sendable {
  public static let size = Int(HP_PUBLIC_KEY_SIZE)

  public let bytes: [UInt8]

  /// Of 32 bytes.
  public init(_ bytes: [UInt8]) throws {
    guard bytes.count == PublicKey.size else {
      throw HandpickError(
        status: .invalidArgument, message: "a public key has \(bytes.count) bytes, expected \(PublicKey.size)")
    }
    self.bytes = bytes
  }

  /// Of 64 hexadecimal digits, as `handpick sign` prints it.
  public init(_ digits: String) throws {
    let values = digits.map { $0.isASCII ? $0.hexDigitValue : nil }
    guard values.count == 2 * PublicKey.size, !values.contains(where: { $0 == nil }) else {
      throw HandpickError(
        status: .invalidArgument, message: "a public key is '\(digits)', expected \(2 * PublicKey.size) hexadecimal digits")
    }
    bytes = (0..<PublicKey.size).map { UInt8(values[2 * $0]! * 16 + values[2 * $0 + 1]!) }
  }
}

/// The keys as the C library takes them. Nil: none are asked for, which an empty list does not mean.
func withBytes<Result>(
  of keys: [PublicKey]?, _ call: (UnsafePointer<UInt8>?, Int) throws -> Result
) throws -> Result {
  guard let keys = keys else { return try call(nil, 0) }
  if keys.isEmpty { throw HandpickError(status: .invalidArgument, message: "there is no public key") }
  let bytes = keys.flatMap { $0.bytes }
  return try bytes.withUnsafeBufferPointer { try call($0.baseAddress, $0.count) }
}

/// Compares a bundle with its hashes, or with its signature, so many bytes at a time: for idle moments.
///
///     let check = try IntegrityCheck(model)
///     while try !check.next(1 << 20) { waitUntilIdle() }
///
/// Used on one thread at a time, beside whatever sessions do with the model, which it keeps.
public final class IntegrityCheck {
  public let model: Model
  private let handle: OpaquePointer

  /// Of the hashes: `Model.checkIntegrity`, in parts.
  public init(_ model: Model) throws {
    var made: OpaquePointer?
    try HandpickError.check { hp_check_new(model.handle, &made, &$0) }
    self.model = model
    handle = made!
  }

  /// Of the signature, as `Model(path:signedBy:)` asks for it.
  public init(_ model: Model, signedBy keys: [PublicKey]) throws {
    var made: OpaquePointer?
    try withBytes(of: keys) { bytes, count in
      try HandpickError.check { hp_check_new_signed(model.handle, bytes, count, &made, &$0) }
    }
    self.model = model
    handle = made!
  }

  deinit { hp_check_free(handle) }

  /// Compares the next bytes, 0: all that are left. True: all were compared, and are as they were written.
  public func next(_ bytes: Int) throws -> Bool {
    guard bytes >= 0 else {
      throw HandpickError(status: .invalidArgument, message: "bytes is \(bytes), expected 0 or more")
    }
    var done: Int32 = 0
    try HandpickError.check { hp_check_next(handle, UInt64(bytes), &done, &$0) }
    return done != 0
  }
}
