/// A lender of memory for the chunk bytes of record batches, which gets it back when nothing reads them any more.
///
/// An array that grows chunk by chunk is copied each time it grows, and memory that was used last is still in the
/// caches.
public protocol BatchMemory: Sendable {
    /// Lends an empty array with room for the chunks of a turn.
    func take() -> [UInt8]
    /// Takes back an array whose bytes are no longer needed.
    func giveBack(_ bytes: consuming [UInt8])
}

/// The bytes of a batch in lent memory, shared by all copies of the batch.
final class LentBytes: @unchecked Sendable {
    /// The bytes; they change only while a single batch refers to them.
    var bytes: [UInt8]
    private let memory: any BatchMemory

    /// Moves bytes into lent memory.
    init(_ bytes: [UInt8], from memory: any BatchMemory) {
        self.memory = memory
        self.bytes = memory.take()
        self.bytes.append(contentsOf: bytes)
    }

    deinit {
        // Swapped out, so that the lender gets the only reference.
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        memory.giveBack(consume bytes)
    }
}
