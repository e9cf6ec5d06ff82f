import WeirWire

/// A toxic that holds each chunk until a user decides about it, or until its time is over: then the chunk goes on
/// unchanged.
///
/// Whatever follows a held chunk of a stream waits for it, so that the stream stays in order.
struct HoldToxic: Toxic {
    static let type = ToxicType(
        "hold",
        "Holds each chunk until somebody forwards, edits or drops it, or its time is over.",
        [
            .integer("timeout", "ms", default: 30_000, in: 1...3_600_000, "after which a chunk goes on as it is"),
            .text("contains", "holds only chunks with these bytes: text with escapes, or hex:48656c6c6f"),
        ]
    ) { (settings) throws(ToxicError) in
        guard let contains = BytePattern(settings.text("contains")) else {
            throw settings.error("contains", "is neither a text with escapes nor hex: with pairs of digits")
        }
        return HoldToxic(timeout: settings.milliseconds("timeout"), contains: contains.bytes)
    }

    let timeout: Duration
    let contains: [UInt8]
    private var next: UInt64 = 1

    init(timeout: Duration, contains: [UInt8] = []) {
        self.timeout = timeout
        self.contains = contains
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(var chunk) = input else { return Verdict() }
        // A chunk that was decided about is not held again.
        guard !chunk.isDecided, contains.isEmpty || chunk.bytes.firstRange(of: contains) != nil else {
            return Verdict([chunk.due(at: now)])
        }
        chunk.holdNumber = next
        next += 1
        return Verdict([chunk.due(at: chunk.arrivedAt.advanced(by: timeout))])
    }

    mutating func adopt(_ previous: any Toxic) {
        if let previous = previous as? HoldToxic { next = previous.next }
    }
}

extension Chunk {
    /// Whether a hold had the chunk, and a user has decided about it.
    var isDecided: Bool { holdNumber != nil && due <= arrivedAt }
    /// Whether the chunk waits for a decision.
    var isHeld: Bool { holdNumber != nil && due > arrivedAt }
}
