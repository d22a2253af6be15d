import HandpickC

/// Memory for small lists and for strings that the C library reads during a call. Does not change once it is filled.
final class Arena: @unchecked Sendable {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// Null for an empty array.
  func copy<T>(_ values: [T]) -> UnsafePointer<T>? {
    guard !values.isEmpty else { return nil }
    let memory = UnsafeMutablePointer<T>.allocate(capacity: values.count)
    memory.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(memory))
    return UnsafePointer(memory)
  }

  func string(_ text: String) -> hp_string { strings([text])![0] }

  /// UTF-8, one after the other. Null for an empty array.
  func strings(_ texts: [String]) -> UnsafePointer<hp_string>? {
    var sizes: [Int] = []
    var bytes: [CChar] = []
    sizes.reserveCapacity(texts.count)
    for text in texts {
      let before = bytes.count
      bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
      sizes.append(bytes.count - before)
    }
    var next = copy(bytes)
    var all: [hp_string] = []
    all.reserveCapacity(texts.count)
    for size in sizes {
      all.append(hp_string(data: next, size: size))
      next = next.map { $0 + size }
    }
    return copy(all)
  }
}
