import HandpickC

/// A session that tasks share: they take turns, and the main thread does not wait.
///
///     let recommender = try Recommender(Model(path: path))
///     try await recommender.append(["movie_id": 1193])
///     let films = try await recommender.recommend(10)
public actor Recommender {
  public nonisolated let model: Model
  private let session: Session

  public init(_ model: Model, options: SessionOptions = SessionOptions()) throws {
    self.model = model
    session = try Session(model, options: options)
  }

  /// Several calls without another task's between them.
  public func run<Result: Sendable>(_ work: @Sendable (Session) throws -> Result) rethrows -> Result {
    try work(session)
  }

  public func setContext(_ named: [String: Value]) throws { try session.setContext(named) }

  public func setContext(_ context: Row) throws { try session.setContext(context) }

  public func append(_ named: [String: Value]) throws { try session.append(named) }

  public func append(_ events: [Row]) throws { try session.append(events) }

  public func rank(_ candidates: [Column], top: Int, by output: Output? = nil) throws -> [Ranked] {
    try session.rank(candidates, top: top, by: output)
  }

  /// The best `top` of the `k` that are recalled.
  public func recommend(_ top: Int, user: RecallOptions.User = .recent(halfLife: 10), k: Int = 200) throws
    -> [Recommended]
  {
    try session.recommend(top, RecallOptions(user: user, k: k))
  }
}
