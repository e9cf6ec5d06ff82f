import WeirFlow

/// Keeps the memory that the batches of one event loop do not need any more for those that follow.
final class RecycledMemory: BatchMemory {
    /// Bounds how many arrays are kept: outputs that keep up hold no more at once.
    private static let limit = 4

    private let free = Lock<[[UInt8]]>([])
    private let size: Int

    /// Makes a memory that keeps nothing yet.
    ///
    /// - Parameter size: how many bytes an array has room for.
    init(size: Int) {
        self.size = size
    }

    /// Counts the arrays that are kept.
    var count: Int { free.withLock { $0.count } }

    /// Gives up what is kept, until batches need memory again.
    func forget() { free.withLock { $0 = [] } }

    func take() -> [UInt8] {
        if let kept = free.withLock({ $0.popLast() }) { return kept }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        return bytes
    }

    func giveBack(_ bytes: consuming [UInt8]) {
        // What has grown is more than most turns need.
        guard bytes.capacity < 2 * size else { return }
        bytes.removeAll(keepingCapacity: true)
        let kept = consume bytes
        free.withLock { if $0.count < Self.limit { $0.append(kept) } }
    }
}
