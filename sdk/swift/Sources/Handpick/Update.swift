import HandpickC

/// New versions of a bundle: made of the old one and a delta, and tried. A `Store` brings them into use.
public enum Update {
  private final class Told {
    let progress: (UInt64, UInt64) -> Void
    init(_ progress: @escaping (UInt64, UInt64) -> Void) { self.progress = progress }
  }

  /// Writes the bundle that a delta (of `handpick delta`) and the old bundle make: first into a file beside it, which takes its
  /// name when it is whole, is what the delta says byte for byte, and is on the disk. The old bundle may be open as a model, and
  /// the new one may take its name.
  ///
  /// `progress` is called now and then on this thread, with the bytes that are done, of all.
  public static func apply(
    old: String, delta: String, new: String, progress: ((_ done: UInt64, _ total: UInt64) -> Void)? = nil
  ) throws {
    var options = hp_update_options(publicKeys: nil, count: 0)
    guard let progress = progress else {
      return try HandpickError.check { hp_update_apply(old, delta, new, &options, &$0) }
    }
    try withoutActuallyEscaping(progress) { progress in
      let told = Told(progress)
      options.progress_opaque = Unmanaged.passUnretained(told).toOpaque()
      options.progress = { opaque, done, total in
        Unmanaged<Told>.fromOpaque(opaque!).takeUnretainedValue().progress(done, total)
      }
      try withExtendedLifetime(told) {
        try HandpickError.check { hp_update_apply(old, delta, new, &options, &$0) }
      }
    }
  }

  /// Whether a file is a bundle that this app can use: opens it, compares all bytes with its hashes, and replays its golden
  /// requests if it has some. With keys, it has to be signed with one of them.
  public static func verify(path: String, signedBy keys: [PublicKey]? = nil) throws {
    try withBytes(of: keys) { bytes, count in
      var options = hp_update_options(publicKeys: bytes, count: count)
      try HandpickError.check { hp_update_verify(path, &options, &$0) }
    }
  }
}

/// A folder that has the bundle in use and the one before.
///
///     let store = Store(folder: folder)
///     let start = try store.start()              // once at each start of the app; nil: install the bundle it came with
///     let model = try Model(path: start!.path)
///     try store.confirm()                        // when all is well
///
///     // A delta was downloaded: it is used from the next start on.
///     try Update.apply(old: start!.path, delta: delta, new: new)
///     try store.install(path: new)
///
/// An app that stops anywhere, also inside of these calls, finds the old bundle or the new one, whole. A bundle with which the
/// app did not come as far as `confirm` is left by the next start for the one before. One process at a time uses a store, one
/// thread at a time.
public final class Store {
  /// What a start found.
  public enum Outcome: UInt32, Sendable {
    /// A bundle that was confirmed at an earlier start.
    case confirmed = 0
    /// The first start with a new bundle: confirm it when all is well.
    case trial = 1
    /// The last start was a trial and was not confirmed: this is the bundle before it, and the other one is gone.
    case fellBack = 2
  }

  /// The bundle to open, and how it came to be that one.
  public struct Start: Hashable, Sendable {
    public let path: String
    public let outcome: Outcome
    /// The XXH3 of the bundle's bytes.
    public let current: UInt64
    /// Of the one before; nil: there is none.
    public let previous: UInt64?
    /// Of the last one that was left or rolled back, not to download it again.
    public let rejected: UInt64?
  }

  public let folder: String

  /// The folder is there, and is the app's alone.
  public init(folder: String) { self.folder = folder }

  /// Says which bundle to open. Called once at each start of the app, before anything else of the store; a second call counts
  /// as a second start. Nil: nothing was installed yet.
  public func start() throws -> Start? {
    var path = [CChar](repeating: 0, count: Int(HP_STORE_PATH))
    var report = hp_store_report()
    report.struct_size = sizeOf(hp_store_report.self)
    var error = hp_error()
    let status = hp_store_start(folder, &path, &report, &error)
    if status == HP_NO_BUNDLE { return nil }
    if status != HP_OK { throw HandpickError(status, error) }
    return Start(
      path: String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
      outcome: Outcome(rawValue: UInt32(report.outcome.rawValue)) ?? .confirmed, current: report.current,
      previous: report.previous == 0 ? nil : report.previous, rejected: report.rejected == 0 ? nil : report.rejected)
  }

  /// The bundle that the last start named is good: it is what a later trial falls back to.
  public func confirm() throws { try HandpickError.check { hp_store_confirm(folder, &$0) } }

  /// Takes a file into the store after `Update.verify`: it is moved there, and the next start names it, as a trial. Models that
  /// are open are not affected. The file is on the folder's file system, and gone afterwards.
  public func install(path: String, signedBy keys: [PublicKey]? = nil) throws {
    try withBytes(of: keys) { bytes, count in
      var options = hp_update_options(publicKeys: bytes, count: count)
      try HandpickError.check { hp_store_install(folder, path, &options, &$0) }
    }
  }

  /// Back to the bundle before, from the next start on.
  public func rollback() throws { try HandpickError.check { hp_store_rollback(folder, &$0) } }
}

extension hp_update_options {
  init(publicKeys: UnsafePointer<UInt8>?, count: Int) {
    self.init()
    struct_size = sizeOf(hp_update_options.self)
    public_keys = publicKeys
    public_keys_size = count
  }
}
