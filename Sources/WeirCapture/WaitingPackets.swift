import WeirWire

/// Packets that wait to be written, in the order of their arrival.
public struct WaitingPackets: ~Copyable, Sendable {
    private var bytes = ByteBuffer()
    private var packets: [(packet: LivePacket, count: Int)] = []
    /// The number of packets at the front that were already taken.
    private var gone = 0

    /// Creates an empty queue.
    public init() {}

    /// Whether there are no packets.
    public var isEmpty: Bool { gone == packets.count }

    /// The number of bytes in the packets.
    public var count: Int { bytes.count }

    /// Adds a packet at the end.
    public mutating func append(_ packet: LivePacket, _ bytes: RawSpan) {
        packets.append((packet, bytes.byteCount))
        self.bytes.append(bytes)
    }

    /// Offers packets, the first one first, until one is not taken.
    ///
    /// - Parameter body: Returns whether it takes the packet, whose bytes are valid only during the call.
    /// - Throws: What `body` throws; its packet stays.
    public mutating func offer<Failure: Error>(_ body: (LivePacket, RawSpan) throws(Failure) -> Bool) throws(Failure) {
        while gone < packets.count {
            let (packet, count) = packets[gone]
            let isTaken = try bytes.withUnsafeBytes { all throws(Failure) in
                try body(packet, UnsafeRawBufferPointer(rebasing: all[..<count]).bytes)
            }
            guard isTaken else { break }
            bytes.removeFirst(count)
            gone += 1
        }
        // The remaining packets move only if at least as many were taken.
        guard gone * 2 >= packets.count else { return }
        packets.removeFirst(gone)
        gone = 0
    }
}
