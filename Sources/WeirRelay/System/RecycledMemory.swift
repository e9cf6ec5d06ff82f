import WeirEngine

/// Arrays that the batches of one event loop no longer need, kept for the next batches.
final class RecycledMemory: BatchMemory {
    /// The maximum number of kept arrays; outputs that are fast enough use no more at once.
    private static let limit = 4

    private let free = Lock<[[UInt8]]>([])
    private let size: Int

    /// Makes a memory without arrays.
    ///
    /// - Parameter size: the capacity of an array, in bytes.
    init(size: Int) {
        self.size = size
    }

    /// The number of kept arrays.
    var count: Int { free.withLock { $0.count } }

    /// Frees the kept arrays, until batches need memory again.
    func forget() { free.withLock { $0 = [] } }

    func take() -> [UInt8] {
        if let kept = free.withLock({ $0.popLast() }) { return kept }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        return bytes
    }

    func giveBack(_ bytes: consuming [UInt8]) {
        // An array that has grown is larger than most turns need.
        guard bytes.capacity < 2 * size else { return }
        bytes.removeAll(keepingCapacity: true)
        let kept = consume bytes
        free.withLock { if $0.count < Self.limit { $0.append(kept) } }
    }
}
