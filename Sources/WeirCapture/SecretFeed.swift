import Synchronization
import WeirWire

/// The secrets of a relay's TLS connections for a live capture: event loops add them, and the capture takes them on its own thread.
///
/// A secret is here before the bytes leave that it decrypts. What a server sends can be captured before the relay has read it: so packets
/// wait for `patience`.
public final class SecretFeed: Sendable {
    /// The time in ns that packets wait for secrets.
    public static let patience: Int64 = 100_000_000

    private let lines = Mutex<[UInt8]?>([])
    private let isEmpty = Atomic<Bool>(true)
    private let expects = Atomic<Bool>(false)

    /// Creates a feed without secrets.
    public init() {}

    /// Whether there may be secrets, for which packets wait.
    public var isExpected: Bool { expects.load(ordering: .relaxed) }

    /// Notes that there may be secrets from now on.
    public func expect() { expects.store(true, ordering: .relaxed) }

    /// Adds lines of the NSS Key Log Format, each without its end.
    public func add(_ new: [String]) {
        lines.withLock { lines in
            guard lines != nil else { return }
            for line in new { lines?.append(contentsOf: line.utf8 + [UInt8(ascii: "\n")]) }
            isEmpty.store(false, ordering: .releasing)
        }
    }

    /// Takes the lines since the last call; costs one load if there are none.
    public func take() -> [UInt8] {
        guard !isEmpty.load(ordering: .acquiring) else { return [] }
        return lines.withLock { lines in
            isEmpty.store(true, ordering: .relaxed)
            defer { if lines != nil { lines = [] } }
            return lines ?? []
        }
    }

    /// Discards all secrets from now on, because nothing will take them.
    public func close() { lines.withLock { $0 = nil } }
}

/// The secrets that were written lately, for the next file: the packets that they decrypt may be in it.
public struct RecentSecrets: Sendable {
    private var secrets: [(time: Int64, lines: [UInt8])] = []

    /// Creates an empty list.
    public init() {}

    /// Adds secrets at a time, in ns since 1970 UTC, and forgets those for which no packet waits any more.
    public mutating func add(_ lines: [UInt8], at time: Int64) {
        secrets.removeAll { time &- $0.time > 2 * SecretFeed.patience }
        secrets.append((time, lines))
    }

    /// Returns the secrets that are not older than twice the time that packets wait.
    public func lines(at time: Int64) -> [UInt8] {
        secrets.filter { time &- $0.time <= 2 * SecretFeed.patience }.flatMap(\.lines)
    }
}
