/// Lends memory to batches of records for the bytes of their chunks, and gets it back when nobody reads them any more.
///
/// An array that grows chunk by chunk is copied each time it grows, and what was used last is still in the caches.
public protocol BatchMemory: Sendable {
    /// Lends an empty array with room for the chunks of a turn.
    func take() -> [UInt8]
    /// Takes an array back, whose bytes are not needed any more.
    func giveBack(_ bytes: consuming [UInt8])
}

/// Holds the bytes of a batch in memory that was lent; all copies of the batch share it.
final class LentBytes: @unchecked Sendable {
    /// Holds the bytes; they are changed only while one batch alone has them.
    var bytes: [UInt8]
    private let memory: any BatchMemory

    /// Moves bytes into memory that is lent.
    init(_ bytes: [UInt8], from memory: any BatchMemory) {
        self.memory = memory
        self.bytes = memory.take()
        self.bytes.append(contentsOf: bytes)
    }

    deinit {
        // Swapped out, so that whoever gets it is the only one that has it.
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        memory.giveBack(consume bytes)
    }
}
