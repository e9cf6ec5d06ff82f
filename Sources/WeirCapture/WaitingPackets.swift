import WeirWire

/// Holds packets that wait to be written, in the order in which they came.
public struct WaitingPackets: ~Copyable, Sendable {
    private var bytes = ByteBuffer()
    private var packets: [(packet: LivePacket, count: Int)] = []
    /// Counts those at the front that have gone.
    private var gone = 0

    /// Holds none.
    public init() {}

    /// Says whether there are none.
    public var isEmpty: Bool { gone == packets.count }

    /// Counts the bytes of the packets.
    public var count: Int { bytes.count }

    /// Adds a packet at the end.
    public mutating func append(_ packet: LivePacket, _ bytes: RawSpan) {
        packets.append((packet, bytes.byteCount))
        self.bytes.append(bytes)
    }

    /// Offers packets, the first one first, until one is not taken.
    ///
    /// - Parameter body: returns whether it has taken the packet; its bytes are good for the call only.
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
        // What stays is moved only where more has gone.
        guard gone * 2 >= packets.count else { return }
        packets.removeFirst(gone)
        gone = 0
    }
}
